/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    if ((f->policy->lists & 1U << LIST_CLIENTS_REFUSED) == 0)
        return "not in the config";
    return f->session->local ? "a program on this machine" : NULL;
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return gate_listed(&f->answers[LIST_CLIENTS_REFUSED],
                       STR("client-refused"));
}

const struct gate_check gate_clients_refused = {
    .name = "clients-refused",
    .stage = GATE_CONNECT,
    .option = "gate.clients-refused",
    .needs = 1U << LIST_CLIENTS_REFUSED,
    .skip = skip,
    .judge = judge};
