/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

/* What is in the list is taken, whether hosted here or passed on (a backup MX);
 * what is not is taken from those who may relay only. */
static const char *
skip(const struct gate_facts *f)
{
    if ((f->policy->lists & 1U << LIST_RCPTHOSTS) == 0)
        return "not in the config";
    if (f->route.answer == BOOK_POSTMASTER_BOX || f->recipient->domain.n == 0)
        return "the postmaster";
    return gate_may_relay(f->session) ? "the client may relay" : NULL;
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    const struct gate_answer *a = &f->answers[LIST_RCPTHOSTS];
    if (a->known == GATE_TROUBLE)
        return gate_refuse(STR("list-trouble"));
    return a->known == GATE_NO ? gate_refuse(STR("not-in-rcpthosts"))
                               : gate_pass();
}

const struct gate_check gate_rcpthosts = {.name = "rcpthosts",
                                          .stage = GATE_RCPT,
                                          .option = "gate.rcpthosts",
                                          .needs = 1U << LIST_RCPTHOSTS,
                                          .skip = skip,
                                          .judge = judge};
