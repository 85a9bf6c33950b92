/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    if ((f->policy->lists & 1U << LIST_VALIDRCPTTO) == 0)
        return "not in the config";
    if (f->route.answer == BOOK_POSTMASTER_BOX || f->recipient->domain.n == 0)
        return "the postmaster";
    if (f->route.answer == BOOK_REMOTE && gate_may_relay(f->session))
        return "on its way to another host";
    return NULL;
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    const struct gate_answer *a = &f->answers[LIST_VALIDRCPTTO];
    if (a->known == GATE_TROUBLE)
        return gate_refuse(STR("list-trouble"));
    return a->known == GATE_NO ? gate_refuse(STR("not-in-validrcptto"))
                               : gate_pass();
}

const struct gate_check gate_validrcptto = {.name = "validrcptto",
                                            .stage = GATE_RCPT,
                                            .option = "gate.validrcptto",
                                            .needs = 1U << LIST_VALIDRCPTTO,
                                            .skip = skip,
                                            .judge = judge};
