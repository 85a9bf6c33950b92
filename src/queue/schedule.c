/* SPDX-License-Identifier: ISC */
#include "queue/schedule_internal.h"

#include <stdlib.h>

#include "base/alloc.h"

enum {
    UNPARK_RCPTS = 256, /* of one message at a time */
    UNTRIED_MS = 1000,  /* until a job that came back untried is due again */
};

struct schedule *
schedule_new(struct spool_store *store, const struct book *book,
             const struct schedule_options *o,
             const struct schedule_hooks *hooks, uint64_t first_job)
{
    struct schedule *s = alloc_zero(sizeof *s);

    s->store = store;
    s->book = book;
    s->hooks = *hooks;
    s->next_number = first_job;
    schedule_configure(s, o);
    return s;
}

void
schedule_configure(struct schedule *s, const struct schedule_options *o)
{
    s->o = *o;
    lanes_configure(&s->lanes, CARRIER_SEND, &o->send);
    lanes_configure(&s->lanes, CARRIER_MAILBOX, &o->mailbox);
}

struct sched_message *
message_new(void)
{
    return alloc_zero(sizeof(struct sched_message));
}

void
message_free(struct sched_message *m)
{
    arena_fini(&m->arena);
    free(m);
}

/* The job is in no list any more; its message goes with its last job. */
static void
job_free(struct schedule *s, struct sched_job *j)
{
    struct sched_message *m = j->message;

    s->loaded--;
    if (--m->jobs == 0)
        message_free(m); // which holds the job as well
}

static struct str
number_key(const uint64_t *number)
{
    return str_from_n(number, sizeof *number);
}

void
schedule_free(struct schedule *s)
{
    if (s == NULL)
        return;
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&s->jobs, &at, &key, &value))
        job_free(s, value);
    for (struct sched_job *j;
         (j = lanes_take_back(&s->lanes, NULL, NULL)) != NULL;)
        job_free(s, j);
    map_fini(&s->jobs);
    map_fini(&s->given_back);
    lanes_fini(&s->lanes);
    free(s);
}

void
schedule_settle(struct schedule *s, struct sched_message *m, struct str address,
                uint32_t index, const struct outcome_facts *facts,
                const struct verdict *v, struct instant now)
{
    struct spool_settlement x = {.id = m->id, .rcpt = index};
    enum fate fate = outcome_decide(&s->o.retry, facts, v, now.wall_ms, &x);

    if (fate == FATE_UNTRIED) {
        spool_unlease(s->store, m->id, index, now.wall_ms + UNTRIED_MS);
        return;
    }
    if (!spool_settle(s->store, &x))
        return;
    s->hooks.on_event(s->hooks.ctx, &(struct schedule_event){.fate = fate,
                                                             .message = m,
                                                             .address = address,
                                                             .settlement = &x});
}

unsigned
schedule_fill(struct schedule *s, struct instant now, unsigned budget)
{
    unsigned n = 0;

    for (; n < budget && s->loaded < s->o.max_in_flight; n++) {
        struct spool_claim claim;
        struct sched_message *m = message_new();

        if (!spool_claim(s->store, now, &m->arena, &claim)) {
            message_free(m);
            break;
        }
        m->id = claim.id;
        m->envelope = claim.envelope;
        m->at = claim.at;
        m->size = claim.size;
        place_message(s, m, claim.rcpts, claim.n_rcpts,
                      claim.crashes > 0 ? PLACE_SUSPECT : PLACE_CLAIMED, now);
    }
    return n;
}

/* ---- parked recipients --------------------------------------------------- */

struct rcpt_key {
    uint64_t writer, seq, rcpt;
};

/* NULL: it is gone, or the disk did not let us read for whom it is. */
static struct sched_message *
message_load(struct schedule *s, struct msgid id, struct spool_view *v)
{
    struct sched_message *m = message_new();

    if (!spool_show(s->store, id, &m->arena, v) || v->unreadable) {
        message_free(m);
        return NULL;
    }
    m->id = id;
    m->envelope = v->envelope;
    m->at = v->at;
    m->size = v->size;
    return m;
}

/* Was the lease given back while it was parked? Asking forgets it. */
static bool
was_given_back(struct schedule *s, struct msgid id, uint32_t rcpt)
{
    struct rcpt_key key = {id.writer, id.seq, rcpt};
    return s->given_back.count > 0 &&
           map_remove(&s->given_back, str_from_n(&key, sizeof key)) != NULL;
}

static const struct spool_rcpt *
find_rcpt(const struct spool_view *v, uint32_t index)
{
    return index < v->n_rcpts ? &v->rcpts[index] : NULL;
}

static void
load_parked(struct schedule *s, struct msgid id, const uint32_t *indexes,
            size_t n, struct instant now)
{
    struct spool_view v;
    struct sched_message *m = message_load(s, id, &v);
    struct spool_rcpt *rcpts;
    size_t kept = 0;

    rcpts = m == NULL ? NULL : arena_array(&m->arena, n, sizeof *rcpts);
    for (size_t i = 0; i < n; i++) {
        const struct spool_rcpt *r;
        if (was_given_back(s, id, indexes[i]))
            continue;
        if (m == NULL) { // the next claim of it finds out what is wrong
            spool_unlease(s->store, id, indexes[i], now.wall_ms + UNTRIED_MS);
            continue;
        }
        r = find_rcpt(&v, indexes[i]);
        if (r != NULL && r->state == RCPT_LEASED)
            rcpts[kept++] = *r;
    }
    if (m == NULL)
        return;
    place_message(s, m, rcpts, kept, PLACE_PARKED, now);
}

static void
unpark(struct schedule *s, struct destination *d, struct instant now)
{
    uint32_t indexes[UNPARK_RCPTS];
    struct msgid id;
    size_t n;

    while ((n = lanes_unpark(&s->lanes, d, &id, indexes, UNPARK_RCPTS)) > 0)
        load_parked(s, id, indexes, n, now);
}

/* ---- in the hands of workers --------------------------------------------- */

/* Out of its worker's hand; what it leaves behind is tidied up. */
static void
job_end(struct schedule *s, struct sched_job *j, struct instant now)
{
    struct destination *d = j->destination;

    (void)map_remove(&s->jobs, number_key(&j->number));
    s->in_hand--;
    lanes_back(&s->lanes, j);
    job_free(s, j);
    unpark(s, d, now);
    lanes_release(&s->lanes, d);
}

/* Another crash may have held a message whose other jobs still wait. */
static bool
is_held(struct schedule *s, struct msgid id)
{
    struct arena a = {0};
    struct spool_view v = {0};

    (void)spool_show(s->store, id, &a, &v);
    arena_fini(&a);
    return v.held;
}

static void
job_give_back(struct schedule *s, struct sched_job *j, struct instant now)
{
    for (struct sched_rcpt *r = j->first; r != NULL; r = r->next)
        spool_unlease(s->store, j->message->id, r->index, now.wall_ms);
}

struct sched_job *
schedule_next(struct schedule *s, enum carrier c, size_t slot,
              struct instant now)
{
    struct sched_job *j;

    while ((j = lanes_next(&s->lanes, c, slot)) != NULL) {
        s->in_hand++;
        (void)map_put(&s->jobs, number_key(&j->number), j);
        unpark(s, j->destination, now);
        if (!j->suspect || !is_held(s, j->message->id))
            return j;
        job_give_back(s, j, now);
        job_end(s, j, now);
    }
    return NULL;
}

struct sched_job *
schedule_find(const struct schedule *s, uint64_t number)
{
    return map_get(&s->jobs, number_key(&number));
}

struct sched_job *
schedule_adopt(struct schedule *s, enum carrier c, size_t slot,
               const struct job_msg *msg)
{
    struct spool_view v;
    struct sched_message *m;
    struct sched_job *j = NULL;

    if (schedule_find(s, msg->job) != NULL ||
        (m = message_load(s, msg->id, &v)) == NULL)
        return NULL;
    for (size_t i = 0; i < msg->n_rcpts; i++) {
        const struct spool_rcpt *r = find_rcpt(&v, msg->rcpts[i].index);
        struct route route;
        if (r == NULL || !spool_lease(s->store, m->id, r->index))
            continue;
        /* Where it went was decided by the queue before us; the book is asked
         * for whose window it fills and who may be on vacation. */
        route_find(s->book, s->o.smarthost, &m->arena, r->address, &route);
        if (j == NULL)
            j = place_job(s, m, lanes_find(&s->lanes, c, route.destination));
        place_rcpt(j, r, route.on_vacation);
    }
    if (j == NULL) {
        message_free(m);
        return NULL;
    }
    j->number = msg->job;
    lanes_adopt(&s->lanes, j, slot);
    s->in_hand++;
    (void)map_put(&s->jobs, number_key(&j->number), j);
    return j;
}

static const struct verdict *
find_verdict(const struct job_rcpt *rcpts, size_t n, size_t guess,
             uint32_t index)
{
    static const struct verdict untried = {.outcome = OUTCOME_NONE};

    if (guess < n && rcpts[guess].index == index)
        return &rcpts[guess].verdict;
    for (size_t i = 0; i < n; i++)
        if (rcpts[i].index == index)
            return &rcpts[i].verdict;
    return &untried;
}

void
schedule_report(struct schedule *s, struct sched_job *j,
                const struct job_rcpt *rcpts, size_t n, struct instant now)
{
    struct sched_message *m = j->message;
    size_t guess = 0; // workers report in the order they were asked

    for (struct sched_rcpt *r = j->first; r != NULL; r = r->next, guess++) {
        struct outcome_facts facts = {.arrived_ms = m->envelope.arrived_ms,
                                      .sender = m->envelope.sender,
                                      .notify = r->notify,
                                      .attempts = r->attempts,
                                      .on_vacation = r->on_vacation};
        schedule_settle(s, m, r->address, r->index, &facts,
                        find_verdict(rcpts, n, guess, r->index), now);
    }
    job_end(s, j, now);
}

void
schedule_lost(struct schedule *s, struct sched_list *hand, struct instant now)
{
    struct buf indexes = {0};
    struct sched_job *j, *other, *next;

    /* A message may have had several jobs there; that was one crash. */
    while ((j = hand->first) != NULL) {
        struct msgid id = j->message->id;
        buf_clear(&indexes);
        for (other = j; other != NULL; other = next) {
            next = other->next;
            if (!msgid_eq(other->message->id, id))
                continue;
            for (struct sched_rcpt *r = other->first; r != NULL; r = r->next)
                buf_add(&indexes, str_from_n(&r->index, sizeof r->index));
            sched_list_remove(hand, other);
            job_end(s, other, now);
        }
        (void)spool_crashed(s->store, id, (const uint32_t *)(void *)indexes.p,
                            indexes.n / sizeof(uint32_t), now.wall_ms);
    }
    buf_fini(&indexes);
}

/* ---- for the command line ------------------------------------------------ */

static bool
is_of_message(const void *ctx, const struct sched_job *j)
{
    const struct msgid *id = ctx;
    return msgid_eq(j->message->id, *id);
}

static bool
in_hand_of_message(const struct schedule *s, struct msgid id)
{
    size_t at = 0;
    struct str key;
    void *value;

    while (map_next(&s->jobs, &at, &key, &value))
        if (is_of_message(&id, value))
            return true;
    return false;
}

/* Leased, and no job has it: it was parked. Its entry there stays, but counts
 * no more. */
static void
give_back_parked(struct schedule *s, struct msgid id, struct instant now)
{
    struct arena a = {0};
    struct spool_view v = {0};

    (void)spool_show(s->store, id, &a, &v);
    for (size_t i = 0; i < v.n_rcpts; i++) {
        struct rcpt_key key = {id.writer, id.seq, v.rcpts[i].index};
        if (v.rcpts[i].state != RCPT_LEASED)
            continue;
        (void)map_put(&s->given_back, str_from_n(&key, sizeof key), s);
        spool_unlease(s->store, id, v.rcpts[i].index, now.wall_ms);
    }
    arena_fini(&a);
}

bool
schedule_give_back(struct schedule *s, struct msgid id, struct instant now)
{
    struct sched_job *j;

    if (in_hand_of_message(s, id))
        return false;
    while ((j = lanes_take_back(&s->lanes, is_of_message, &id)) != NULL) {
        job_give_back(s, j, now);
        job_free(s, j);
    }
    give_back_parked(s, id, now);
    return true;
}

size_t
schedule_loaded(const struct schedule *s)
{
    return s->loaded;
}

size_t
schedule_in_hand(const struct schedule *s)
{
    return s->in_hand;
}
