/* SPDX-License-Identifier: ISC */
/* How much of the server one client network takes. */
#include "gate/checks.h"

static const char *
skip_client(const struct gate_session *s)
{
    if (s->local)
        return "a program on this machine";
    if (s->loopback)
        return "this host";
    return s->in_networks ? "the client is in relay.networks" : NULL;
}

static const char *
skip_connections(const struct gate_facts *f)
{
    return f->policy->client_connections == 0 ? "off" : skip_client(f->session);
}

static struct gate_verdict
judge_connections(const struct gate_facts *f)
{
    return f->session->connections > f->policy->client_connections
               ? gate_refuse(STR("too-many-connections"))
               : gate_pass();
}

static const char *
skip_rate(const struct gate_facts *f)
{
    return f->policy->client_rate == 0 ? "off" : skip_client(f->session);
}

static struct gate_verdict
judge_rate(const struct gate_facts *f)
{
    return f->session->rate > f->policy->client_rate
               ? gate_refuse(STR("connection-rate"))
               : gate_pass();
}

const struct gate_check gate_connections = {.name = "connections",
                                            .stage = GATE_CONNECT,
                                            .option = "gate.client-connections",
                                            .skip = skip_connections,
                                            .judge = judge_connections};
const struct gate_check gate_rate = {.name = "rate",
                                     .stage = GATE_CONNECT,
                                     .option = "gate.client-rate",
                                     .skip = skip_rate,
                                     .judge = judge_rate};
