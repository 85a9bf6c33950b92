/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    return f->policy->message_rules ? NULL : "not in the config";
}

/* Which rule it was is for the admin: who knows it writes around it. */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    if (f->content.rule == 0)
        return gate_pass();
    struct gate_verdict v = gate_refuse(STR("message-filtered"));
    v.rule = arena_printf(f->arena, "line %u%s%.*s", f->content.rule,
                          f->content.remark.n > 0 ? ": " : "",
                          STR_ARG(f->content.remark));
    return v;
}

const struct gate_check gate_message_rules = {.name = "message-rules",
                                              .stage = GATE_DATA,
                                              .option = "gate.message-rules",
                                              .skip = skip,
                                              .judge = judge};
