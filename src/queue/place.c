/* SPDX-License-Identifier: ISC */
#include "queue/schedule_internal.h"

#include "queue/expand.h"

/* Recipients of one job: RFC 5321 4.5.3.1.8, what every server must take. */
enum { JOB_RCPTS = 100 };

/* One message on its way into jobs. */
struct placing {
    struct schedule *s;
    struct sched_message *m;
    struct instant now;
    enum place_how how;
    struct pending *first, **end;
    struct sched_list built; /* jobs not yet waiting */
    bool expanding;          /* expand is in use */
    struct expand expand;
};

/* A recipient that is leased and not yet routed. */
struct pending {
    struct pending *next;
    struct spool_rcpt rcpt;
};

static void
settle_pending(struct placing *p, const struct spool_rcpt *r,
               const struct verdict *v)
{
    struct outcome_facts facts = {.arrived_ms = p->m->envelope.arrived_ms,
                                  .sender = p->m->envelope.sender,
                                  .notify = r->notify,
                                  .attempts = r->attempts};
    schedule_settle(p->s, p->m, r->address, r->index, &facts, v, p->now);
}

static void
add_pending(struct placing *p, const struct spool_rcpt *r)
{
    struct pending *x = arena_alloc(&p->m->arena, sizeof *x);

    x->rcpt = *r;
    *p->end = x;
    p->end = &x->next;
}

static void
expansion_begin(struct placing *p)
{
    struct spool_view v = {0};

    if (p->expanding)
        return;
    p->expanding = true;
    (void)spool_show(p->s->store, p->m->id, &p->m->arena, &v);
    expand_init(&p->expand, &p->m->arena, v.rcpts, v.n_rcpts);
}

static void
follow_alias(struct placing *p, const struct spool_rcpt *r,
             const struct route *route)
{
    struct sched_message *m = p->m;
    size_t n = route->n_targets;
    uint32_t *indexes = arena_array(&m->arena, n, sizeof *indexes);
    struct verdict v;

    expansion_begin(p);
    switch (expand_targets(&p->expand, r->index, route->targets, &n)) {
    case EXPAND_OK:
        if (!spool_expand(p->s->store, m->id, r->index, route->targets, n,
                          indexes)) {
            v = (struct verdict){
                .outcome = OUTCOME_LATER,
                .status = {4, 2, 4},
                .reason = STR("too-many-recipients"),
                .text = STR("The alias has more targets than "
                            "one message may have.")
            };
            break;
        }
        expand_added(&p->expand, r->index, route->targets, indexes, n);
        p->s->hooks.on_expanded(p->s->hooks.ctx, m, r->address, n);
        for (size_t i = 0; i < n; i++)
            add_pending(p, &(struct spool_rcpt){.index = indexes[i],
                                                .address = route->targets[i],
                                                .notify = r->notify,
                                                .parent = r->index});
        return;
    case EXPAND_NOTHING_NEW:
        v = (struct verdict){.outcome = OUTCOME_DELIVERED,
                             .text = STR("All its targets have the message "
                                         "by other addresses.")};
        break;
    case EXPAND_TOO_DEEP:
        v = route_refusal((struct status){5, 4, 6}, STR("loop"),
                          STR("Too many aliases lead to one another."));
        break;
    case EXPAND_LOOP:
    default:
        v = route_refusal((struct status){5, 4, 6}, STR("loop"),
                          STR("The alias leads only to itself."));
    }
    settle_pending(p, r, &v);
}

struct sched_job *
place_job(struct schedule *s, struct sched_message *m, struct destination *d)
{
    struct sched_job *j = arena_alloc(&m->arena, sizeof *j);

    j->number = s->next_number++;
    j->message = m;
    j->destination = d;
    m->jobs++;
    s->loaded++;
    return j;
}

void
place_rcpt(struct sched_job *j, const struct spool_rcpt *r, bool on_vacation)
{
    struct sched_rcpt *x = arena_alloc(&j->message->arena, sizeof *x);

    *x = (struct sched_rcpt){.index = r->index,
                             .attempts = r->attempts,
                             .address = r->address,
                             .orcpt = r->orcpt,
                             .notify = r->notify,
                             .on_vacation = on_vacation};
    if (j->last != NULL)
        j->last->next = x;
    else
        j->first = x;
    j->last = x;
    j->n_rcpts++;
}

/* The destination remembers the job that grows, until all are routed. */
static struct sched_job *
next_job(struct placing *p, struct destination *d)
{
    struct sched_job *j = place_job(p->s, p->m, d);

    j->suspect = p->how == PLACE_SUSPECT;
    sched_list_add(&p->built, j);
    d->building = j;
    return j;
}

static void
place_in_job(struct placing *p, const struct spool_rcpt *r,
             const struct route *route)
{
    enum carrier c = route->kind == ROUTE_SEND ? CARRIER_SEND : CARRIER_MAILBOX;
    struct destination *d = lanes_find(&p->s->lanes, c, route->destination);
    struct sched_job *j = d->building;

    if (j == NULL && p->how == PLACE_CLAIMED &&
        lanes_crowded(&p->s->lanes, d)) {
        lanes_park(d, p->m->id, r->index);
        return;
    }
    if (j == NULL || j->n_rcpts >= JOB_RCPTS)
        j = next_job(p, d);
    place_rcpt(j, r, route->on_vacation);
}

static void
place_one(struct placing *p, const struct spool_rcpt *r)
{
    struct route route;

    route_find(p->s->book, p->s->o.smarthost, &p->m->arena, r->address, &route);
    switch (route.kind) {
    case ROUTE_SEND:
    case ROUTE_MAILBOX:
        place_in_job(p, r, &route);
        return;
    case ROUTE_ALIAS:
        follow_alias(p, r, &route);
        return;
    case ROUTE_REFUSED:
    default:
        settle_pending(p, r, &route.verdict);
    }
}

static void
let_wait(struct placing *p)
{
    struct sched_job *j;

    while ((j = p->built.first) != NULL) {
        sched_list_remove(&p->built, j);
        j->destination->building = NULL;
        lanes_wait(&p->s->lanes, j);
    }
}

void
place_message(struct schedule *s, struct sched_message *m,
              const struct spool_rcpt *rcpts, size_t n, enum place_how how,
              struct instant now)
{
    struct placing p = {.s = s, .m = m, .now = now, .how = how};

    p.end = &p.first;
    for (size_t i = 0; i < n; i++)
        add_pending(&p, &rcpts[i]);
    for (struct pending *x = p.first; x != NULL; x = x->next)
        place_one(&p, &x->rcpt);
    let_wait(&p);
    if (p.expanding)
        expand_fini(&p.expand);
    if (m->jobs == 0)
        message_free(m);
}
