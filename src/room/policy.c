/* SPDX-License-Identifier: ISC */
#include "room/policy.h"

static uint32_t
line_of(void *ctx, struct str option)
{
    return conf_line(ctx, option);
}

struct gate_policy
policy_from(struct conf *c)
{
    struct conf_list list;
    struct gate_policy p = {
        .max_size = c->receive.max_message_size,
        .max_recipients = c->receive.max_recipients,
        .sender_domain_must_exist = c->gate.sender_domain_must_exist,
        .null_sender_refused = c->gate.null_sender_refused,
        .own_domain_open = c->gate.own_domain_open,
        .recipient_mx_checked = c->gate.recipient_mx_checked,
        .hello_any = c->gate.hello_any,
        .message_rules = c->gate.message_rules.n > 0,
        .greeting_delay_ms = c->gate.greeting_delay_ms,
        .client_connections = c->gate.client_connections,
        .client_rate = c->gate.client_rate,
        .line = line_of,
        .ctx = c,
    };
    for (size_t i = 0; conf_list_at(c, i, &list); i++)
        p.lists |= 1U << list.id;
    return p;
}

bool
policy_needs_dns(const struct gate_policy *p)
{
    return p->sender_domain_must_exist || p->recipient_mx_checked;
}

bool
policy_in_networks(const struct conf *c, const struct net_address *client)
{
    for (size_t i = 0; i < c->relay.n_networks; i++)
        if (net_in_network(client, c->relay.networks[i]))
            return true;
    return false;
}
