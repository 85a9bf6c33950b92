/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

/* Who may relay is known to us, and our own domains need no DNS. */
static const char *
skip(const struct gate_facts *f)
{
    if (!f->policy->sender_domain_must_exist)
        return "off";
    if (f->sender->whole.n == 0)
        return "the null sender";
    if (gate_may_relay(f->session))
        return "the client may relay";
    if (f->sender->literal)
        return "an address literal";
    return f->sender_ours ? "the domain is ours" : NULL;
}

/*
 * RFC 5321, 5.1 and RFC 7505: a domain that has no MX, A or AAAA record, or a
 * null MX, takes no answer. Whether that is so must be certain: trouble with
 * the DNS is for later.
 */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    const struct gate_answer *a = &f->answers[GATE_ASK_SENDER_DOMAIN];
    if (a->known == GATE_TROUBLE)
        return gate_refuse(STR("sender-domain-trouble"));
    if (a->known != GATE_NO)
        return gate_pass();
    if (a->value.n > 0)
        return gate_refuse(STR("sender-domain-no-mail"));
    return gate_refuse(STR("sender-domain-missing"));
}

const struct gate_check gate_sender_domain = {.name = "sender-domain",
                                              .stage = GATE_MAIL,
                                              .option = "gate.sender-domain",
                                              .needs =
                                                  1U << GATE_ASK_SENDER_DOMAIN,
                                              .skip = skip,
                                              .judge = judge};
