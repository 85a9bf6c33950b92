/* SPDX-License-Identifier: ISC */
#include "send/destination.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/log.h"
#include "send/session.h"

enum {
    PATH_MS = 60 * 1000,
    PROBES = 2, /* sessions to a host that has not yet answered any */
};

void
path_release(struct path *p)
{
    if (p == NULL || --p->users > 0)
        return;
    route_fini(&p->route);
    free(p->open);
    free(p);
}

struct destination *
destination_find(struct sender *s, struct str name)
{
    struct destination *d = map_get(&s->destinations, name);

    if (d != NULL)
        return d;
    d = alloc_zero(sizeof *d + name.n + 1);
    d->sender = s;
    d->name = (struct str){memcpy(d + 1, name.p, name.n), name.n};
    (void)map_put(&s->destinations, name, d);
    return d;
}

static void
destination_free(struct destination *d)
{
    (void)map_remove(&d->sender->destinations, d->name);
    lookup_cancel(d->lookup);
    path_release(d->path);
    path_release(d->asked);
    free(d);
}

void
destination_add(struct destination *d, struct delivery *x)
{
    x->next = NULL;
    if (d->last != NULL)
        d->last->next = x;
    else
        d->first = x;
    d->last = x;
    d->n_waiting++;
}

void
destination_put_back(struct destination *d, struct delivery *x)
{
    x->next = d->first;
    d->first = x;
    if (d->last == NULL)
        d->last = x;
    d->n_waiting++;
}

struct delivery *
destination_take(struct destination *d)
{
    struct delivery *x = d->first;

    if (x == NULL)
        return NULL;
    d->first = x->next;
    if (d->first == NULL)
        d->last = NULL;
    d->n_waiting--;
    return x;
}

void
destination_give_up(struct destination *d, const struct verdict *v)
{
    struct delivery *x;

    while ((x = destination_take(d)) != NULL) {
        delivery_give_up(x, v);
        delivery_report(x, d->sender->jobs);
    }
}

static int64_t
now_ms(const struct destination *d)
{
    return loop_now(d->sender->room->loop).mono_ms;
}

/* ---- the route ----------------------------------------------------------- */

/* The route is known: of use, or a verdict for all that waits. */
static void
take_path(struct destination *d)
{
    struct path *p = d->asked;

    d->asked = NULL;
    if (p->route.verdict.outcome != OUTCOME_NONE) {
        log_event(LOG_INFO, "no-route", LOG_S("destination", d->name),
                  LOG_S("reason", p->route.verdict.reason),
                  LOG_S("text", p->route.verdict.text), LOG_END);
        destination_give_up(d, &p->route.verdict);
        path_release(p);
        return;
    }
    p->until_ms = now_ms(d) + PATH_MS;
    p->open = alloc_array(p->route.n_targets, sizeof *p->open);
    path_release(d->path);
    d->path = p;
}

static void
on_known(void *ctx)
{
    struct destination *d = ctx;
    d->lookup = NULL;
    take_path(d);
    destination_pump(d);
}

static void
ask_path(struct destination *d)
{
    struct sender *s = d->sender;
    const struct conf *conf = s->room->conf;
    bool smarthost = str_eq(d->name, conf->relay.smarthost);
    // 587 is where a host wants a login (RFC 6409), 25 is for all others.
    uint16_t port = !smarthost                         ? conf->send.port
                    : conf->relay.smarthost_user.n > 0 ? 587
                                                       : 25;

    d->asked = alloc_zero(sizeof *d->asked);
    d->asked->users = 1;
    s->random = s->random * 6364136223846793005U + 1442695040888963407U;
    route_init(&d->asked->route, d->name, smarthost, port, s->random);
    d->lookup = lookup_start(s->dns, &d->asked->route, &s->self, on_known, d);
    if (d->lookup == NULL)
        take_path(d);
}

/* ---- the sessions -------------------------------------------------------- */

static bool
may_open(const struct destination *d)
{
    const struct conf *conf = d->sender->room->conf;
    bool answers = d->n_sessions > d->n_opening;

    return d->n_waiting > d->n_opening &&
           d->n_sessions < conf->send.connections_per_destination &&
           (answers || d->n_opening < PROBES) &&
           (d->n_sessions == 0 || now_ms(d) >= d->open_after_ms);
}

void
destination_pump(struct destination *d)
{
    static const struct verdict untried = {.outcome = OUTCOME_NONE};

    if (jobs_draining(d->sender->jobs))
        destination_give_up(d, &untried);
    while (d->first != NULL && d->idle != NULL)
        session_wake(d->idle);
    if (may_open(d) && d->lookup == NULL &&
        (d->path == NULL || now_ms(d) >= d->path->until_ms))
        ask_path(d);
    while (d->lookup == NULL && d->path != NULL && may_open(d))
        session_dial(d);
    if (d->first == NULL && d->n_sessions == 0 && d->lookup == NULL)
        destination_free(d);
}

void
destination_drain(struct destination *d)
{
    while (d->idle != NULL)
        session_wake(d->idle);
    destination_pump(d);
}
