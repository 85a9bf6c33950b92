/* SPDX-License-Identifier: ISC */
#include "room/domain.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "os/net.h"

/* Mail hosts whose addresses are asked for; each costs two queries. */
enum { HOSTS_MAX = 4, QUERIES_MAX = 2 * HOSTS_MAX };

struct domain_query {
    struct domain_question *question;
    struct dns_query *query; /* NULL: answered */
};

struct domain_question {
    struct dns *dns;
    struct arena arena;
    struct str domain, hostname;
    enum domain_subject subject;
    struct domain_query mx, addresses[QUERIES_MAX];
    size_t open; /* queries for addresses without an answer */
    bool found, trouble;
    domain_fn fn;
    void *ctx;
};

void
domain_cancel(struct domain_question *q)
{
    if (q == NULL)
        return;
    dns_cancel(q->mx.query);
    for (size_t i = 0; i < QUERIES_MAX; i++)
        dns_cancel(q->addresses[i].query);
    arena_fini(&q->arena);
    free(q);
}

static void
answer(struct domain_question *q, enum domain_answer a)
{
    domain_fn fn = q->fn;
    void *ctx = q->ctx;
    domain_cancel(q);
    fn(ctx, a);
}

/* ---- addresses --------------------------------------------------------- */

static bool
is_own(const struct dns_record *r)
{
    struct net_address a;
    return net_parse(r->text, 25, &a) && net_is_own(&a);
}

static bool
says_yes(const struct domain_question *q, const struct dns_answer *a)
{
    if (a->result != DNS_OK || a->n == 0)
        return false;
    if (q->subject == DOMAIN_EXISTS)
        return true;
    for (size_t i = 0; i < a->n; i++)
        if (is_own(&a->records[i]))
            return true;
    return false;
}

static void
on_address(void *ctx, const struct dns_answer *a)
{
    struct domain_query *dq = ctx;
    struct domain_question *q = dq->question;

    dq->query = NULL;
    q->open--;
    q->trouble = q->trouble || a->result == DNS_TROUBLE;
    if (says_yes(q, a))
        answer(q, DOMAIN_YES);
    else if (q->open == 0)
        answer(q, q->trouble ? DOMAIN_TROUBLE : DOMAIN_NO);
}

static void
ask_addresses(struct domain_question *q, const struct str *hosts, size_t n)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    q->open = 2 * n;
    for (size_t i = 0; i < q->open; i++) {
        struct domain_query *dq = &q->addresses[i];
        dq->question = q;
        dq->query = dns_ask(q->dns, hosts[i / 2], types[i % 2], on_address, dq);
    }
}

/* ---- MX ---------------------------------------------------------------- */

static void
look_at_hosts(struct domain_question *q, const struct dns_answer *mx)
{
    struct str hosts[HOSTS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < mx->n; i++) {
        struct str host = mx->records[i].text;
        if (str_eq_nocase(host, q->hostname)) {
            answer(q, DOMAIN_YES);
            return;
        }
        if (n < HOSTS_MAX)
            hosts[n++] = arena_dup(&q->arena, host);
    }
    ask_addresses(q, hosts, n);
}

static void
on_mx(void *ctx, const struct dns_answer *mx)
{
    struct domain_query *dq = ctx;
    struct domain_question *q = dq->question;

    dq->query = NULL;
    if (mx->result == DNS_TROUBLE)
        answer(q, DOMAIN_TROUBLE);
    else if (mx->result == DNS_NO_NAME)
        answer(q, DOMAIN_NO);
    else if (mx->result == DNS_NO_DATA || mx->n == 0)
        ask_addresses(q, &q->domain, 1); // RFC 5321, 5.1: the implicit MX
    else if (mx->n == 1 && mx->records[0].text.n == 0)
        answer(q, DOMAIN_NULL_MX);
    else if (q->subject == DOMAIN_EXISTS)
        answer(q, DOMAIN_YES);
    else
        look_at_hosts(q, mx);
}

struct domain_question *
domain_ask(struct dns *d, struct str domain, enum domain_subject subject,
           struct str hostname, domain_fn fn, void *ctx)
{
    struct domain_question *q = alloc_zero(sizeof *q);
    q->dns = d;
    q->domain = arena_dup(&q->arena, domain);
    q->hostname = hostname;
    q->subject = subject;
    q->fn = fn;
    q->ctx = ctx;
    q->mx.question = q;
    q->mx.query = dns_ask(d, q->domain, DNS_MX, on_mx, &q->mx);
    return q;
}
