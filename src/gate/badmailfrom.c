/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    return gate_skip_sender_list(f, LIST_BADMAILFROM);
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return gate_listed(&f->answers[LIST_BADMAILFROM], STR("badmailfrom"));
}

const struct gate_check gate_badmailfrom = {.name = "badmailfrom",
                                            .stage = GATE_MAIL,
                                            .option = "gate.badmailfrom",
                                            .needs = 1U << LIST_BADMAILFROM,
                                            .skip = skip,
                                            .judge = judge};
