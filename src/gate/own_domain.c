/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

/*
 * Who writes as one of us logs in and says so on the ports made for it. What
 * comes to the port for strangers in our own name is forged, or a mail program
 * that is set up wrong, which the reply tells.
 */
static const char *
skip(const struct gate_facts *f)
{
    const struct gate_session *s = f->session;
    if (f->policy->own_domain_open)
        return "open in the config";
    if (s->user.n > 0)
        return "logged in";
    if (s->local)
        return "a program on this machine";
    if (s->auth_required)
        return "this port asks for a login anyway";
    if (s->in_networks)
        return "the client is in relay.networks";
    return f->sender->whole.n > 0 ? NULL : "the null sender";
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->sender_ours ? gate_refuse(STR("own-domain-without-login"))
                          : gate_pass();
}

const struct gate_check gate_own_domain = {.name = "own-domain",
                                           .stage = GATE_MAIL,
                                           .option = "gate.own-domain",
                                           .skip = skip,
                                           .judge = judge};
