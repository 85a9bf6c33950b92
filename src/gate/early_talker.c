/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

/* RFC 5321, 4.3.1: a client waits for the greeting. Programs that send spam in
 * bulk do not, if it comes late. */
static const char *
skip(const struct gate_facts *f)
{
    if (f->policy->greeting_delay_ms == 0)
        return "off";
    return gate_greets_late(f->policy, f->session) ? NULL : "greeted at once";
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->session->early ? gate_refuse(STR("early-talker")) : gate_pass();
}

const struct gate_check gate_early_talker = {.name = "early-talker",
                                             .stage = GATE_CONNECT,
                                             .option = "gate.greeting-delay",
                                             .skip = skip,
                                             .judge = judge};

bool
gate_greets_late(const struct gate_policy *p, const struct gate_session *s)
{
    return p->greeting_delay_ms > 0 && !s->local && !s->in_networks &&
           !s->loopback && !s->auth_required;
}
