/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    if (!f->policy->recipient_mx_checked)
        return "off";
    if (f->route.answer != BOOK_REMOTE)
        return "the domain is ours";
    if (f->recipient->literal)
        return "an address literal";
    return gate_may_relay(f->session) ? "the client may relay" : NULL;
}

/*
 * The domain's mail is sent to us by its own MX record, but nobody told us
 * that it is ours: the recipient's admin must act, not the sender, who would
 * look in vain for a login if told that relaying is denied. Where the DNS does
 * not say, that is what they hear.
 */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    const struct gate_answer *rcpthosts = &f->answers[LIST_RCPTHOSTS];
    if (f->answers[GATE_ASK_RECIPIENT_MX].known == GATE_YES &&
        (rcpthosts->known == GATE_NOT_ASKED || rcpthosts->known == GATE_NO))
        return gate_refuse(STR("domain-not-here"));
    return gate_pass();
}

const struct gate_check gate_recipient_mx = {.name = "recipient-mx",
                                             .stage = GATE_RCPT,
                                             .option = "gate.recipient-mx",
                                             .needs = 1U
                                                      << GATE_ASK_RECIPIENT_MX,
                                             .skip = skip,
                                             .judge = judge};
