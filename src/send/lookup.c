/* SPDX-License-Identifier: ISC */
#include "send/lookup.h"

#include <stdlib.h>

#include "base/alloc.h"

struct question {
    struct lookup *lookup;
    size_t host;
    struct dns_query *query; /* NULL: answered */
};

struct lookup {
    struct dns *dns;
    struct route *route;
    const struct route_self *self;
    loop_fn fn;
    void *ctx;
    struct question mx, addresses[2 * ROUTE_HOSTS_MAX];
    size_t open;
};

static void
finish(struct lookup *l)
{
    loop_fn fn = l->fn;
    void *ctx = l->ctx;
    free(l);
    fn(ctx);
}

static void
on_address(void *ctx, const struct dns_answer *answer)
{
    struct question *q = ctx;
    struct lookup *l = q->lookup;

    q->query = NULL;
    l->open--;
    route_take_address(l->route, q->host, answer);
    if (l->open > 0)
        return;
    route_finish(l->route, l->self);
    finish(l);
}

static void
ask_addresses(struct lookup *l)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};

    for (size_t i = 0; i < 2 * l->route->n_hosts; i++) {
        struct question *q = &l->addresses[i];
        q->lookup = l;
        q->host = i / 2;
        q->query = dns_ask(l->dns, l->route->hosts[q->host].name, types[i % 2],
                           on_address, q);
        l->open++;
    }
}

static void
on_mx(void *ctx, const struct dns_answer *answer)
{
    struct question *q = ctx;
    struct lookup *l = q->lookup;

    q->query = NULL;
    route_take_mx(l->route, l->self, answer);
    if (l->route->need == ROUTE_NEEDS_ADDRESSES)
        ask_addresses(l);
    else
        finish(l);
}

struct lookup *
lookup_start(struct dns *d, struct route *route, const struct route_self *self,
             loop_fn fn, void *ctx)
{
    struct lookup *l;

    // An address as it stands has nothing to ask for.
    if (route->need == ROUTE_NEEDS_ADDRESSES && route->hosts[0].n > 0)
        route_finish(route, self);
    if (route->need == ROUTE_KNOWN)
        return NULL;
    l = alloc_zero(sizeof *l);
    l->dns = d;
    l->route = route;
    l->self = self;
    l->fn = fn;
    l->ctx = ctx;
    l->mx.lookup = l;
    if (route->need == ROUTE_NEEDS_MX)
        l->mx.query = dns_ask(d, route->domain, DNS_MX, on_mx, &l->mx);
    else
        ask_addresses(l);
    return l;
}

void
lookup_cancel(struct lookup *l)
{
    if (l == NULL)
        return;
    dns_cancel(l->mx.query);
    for (size_t i = 0; i < sizeof l->addresses / sizeof *l->addresses; i++)
        dns_cancel(l->addresses[i].query);
    free(l);
}
