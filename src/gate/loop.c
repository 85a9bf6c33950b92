/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->content.received >= GATE_RECEIVED_MAX ? gate_refuse(STR("loop"))
                                                    : gate_pass();
}

const struct gate_check gate_loop = {
    .name = "loop", .stage = GATE_DATA, .judge = judge};
