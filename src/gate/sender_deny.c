/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    return gate_skip_sender_list(f, LIST_SENDER_DENY);
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return gate_listed(&f->answers[LIST_SENDER_DENY], STR("sender-denied"));
}

const struct gate_check gate_sender_deny = {.name = "sender-deny",
                                            .stage = GATE_MAIL,
                                            .option = "gate.sender-deny",
                                            .needs = 1U << LIST_SENDER_DENY,
                                            .skip = skip,
                                            .judge = judge};
