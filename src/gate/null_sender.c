/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

/*
 * Off unless the config asks for it: RFC 5321, 4.5.5 and 6.1 want the null
 * sender taken, as all bounces and receipts come with it.
 */
static const char *
skip(const struct gate_facts *f)
{
    if (!f->policy->null_sender_refused)
        return "off";
    return f->sender->whole.n == 0 ? NULL : "not the null sender";
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    (void)f;
    return gate_refuse(STR("null-sender"));
}

const struct gate_check gate_null_sender = {.name = "null-sender",
                                            .stage = GATE_MAIL,
                                            .option = "gate.null-sender",
                                            .skip = skip,
                                            .judge = judge};
