/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static struct gate_verdict
judge(const struct gate_facts *f)
{
    const struct gate_content *c = &f->content;
    if (c->bare)
        return gate_refuse(STR("bare-line-ends"));
    if (c->too_large)
        return gate_too_large(f);
    if (!c->long_line)
        return gate_pass();
    struct gate_verdict v = gate_refuse(STR("malformed"));
    v.detail = STR("A line is longer than 65536 octets.");
    return v;
}

const struct gate_check gate_form = {
    .name = "form", .stage = GATE_DATA, .judge = judge};
