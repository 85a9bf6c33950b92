/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

bool
gate_may_relay(const struct gate_session *s)
{
    return s->local || s->user.n > 0 || (s->in_networks && !s->auth_required);
}

static const char *
skip(const struct gate_facts *f)
{
    if (f->route.answer != BOOK_REMOTE)
        return "the domain is ours";
    return gate_may_relay(f->session) ? "the client may relay" : NULL;
}

/*
 * Not our domain, and who asks may not relay. The domain is what stands behind
 * the last "@": no route, percent sign, bang, quoted "@" or literal of our own
 * leads anywhere else (mail/address.h).
 */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->answers[LIST_RCPTHOSTS].known == GATE_YES
               ? gate_pass()
               : gate_refuse(STR("relay-denied"));
}

const struct gate_check gate_relay = {.name = "relay",
                                      .stage = GATE_RCPT,
                                      .option = "relay.networks",
                                      .skip = skip,
                                      .judge = judge};
