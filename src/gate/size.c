/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

struct gate_verdict
gate_too_large(const struct gate_facts *f)
{
    struct gate_verdict v = gate_refuse(STR("too-large"));
    v.detail = arena_printf(f->arena, "The limit is %llu octets.",
                            (unsigned long long)f->policy->max_size);
    return v;
}

static const char *
skip(const struct gate_facts *f)
{
    return f->declared > 0 ? NULL : "no size was declared";
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->declared > f->policy->max_size ? gate_too_large(f) : gate_pass();
}

const struct gate_check gate_size = {.name = "size",
                                     .stage = GATE_MAIL,
                                     .option = "receive.max-message-size",
                                     .skip = skip,
                                     .judge = judge};
