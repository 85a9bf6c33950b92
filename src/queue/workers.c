/* SPDX-License-Identifier: ISC */
#include "queue/workers.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ipc/job.h"
#include "os/channel.h"
#include "os/log.h"

/* Octets that wait in a pipe before a worker gets no more. */
enum { BACKLOG_MAX = 1 << 20 };

/* A segment that a worker can read. */
struct grant {
    uint64_t generation;
    bool asked_back;
};

struct worker {
    struct worker *next;
    struct workers *all;
    enum role role;
    uint32_t slot;
    uint64_t incarnation;
    int fd;                  /* until workers_open(); then the channel's */
    struct channel *channel; /* NULL: not open yet, or ended */
    struct sched_list hand;
    struct map grants;  /* segment -> grant */
    uint64_t expected;  /* frames about what it has in hand, still to come */
    uint64_t outcomes;  /* that came over this pipe */
    uint64_t confirmed; /* of these */
    bool hello, current, leaving, reaped;
    bool initial; /* nothing is handed out before it has spoken */
};

struct workers {
    struct loop *loop;
    struct spool_store *store;
    struct schedule *schedule;
    struct worker *first;
    bool open;
};

struct workers *
workers_new(struct loop *l)
{
    struct workers *all = alloc_zero(sizeof *all);
    all->loop = l;
    return all;
}

void
workers_use(struct workers *all, struct spool_store *store, struct schedule *s)
{
    all->store = store;
    all->schedule = s;
}

static enum carrier
carrier_of(const struct worker *w)
{
    return w->role == ROLE_SEND ? CARRIER_SEND : CARRIER_MAILBOX;
}

static void
say(struct worker *w, const struct job_msg *m, int fd)
{
    struct buf frame = {0};

    if (w->channel == NULL)
        return;
    job_encode(&frame, m);
    if (fd >= 0)
        channel_send_fd(w->channel, buf_str(&frame), fd);
    else
        channel_send(w->channel, buf_str(&frame));
    buf_fini(&frame);
}

/* ---- segments ------------------------------------------------------------ */

static struct str
segment_key(const uint64_t *segment)
{
    return str_from_n(segment, sizeof *segment);
}

static void
ungrant(struct worker *w, uint64_t segment)
{
    struct grant *g = map_remove(&w->grants, segment_key(&segment));

    if (g == NULL)
        return;
    free(g);
    spool_log_store_ungrant(w->all->store, segment);
}

static void
ungrant_all(struct worker *w)
{
    size_t at = 0;
    struct str key;
    void *value;
    uint64_t segment = 0;

    while (map_next(&w->grants, &at, &key, &value)) {
        for (size_t i = 0; i < sizeof segment; i++)
            ((char *)&segment)[i] = key.p[i];
        free(value);
        spool_log_store_ungrant(w->all->store, segment);
    }
    map_fini(&w->grants);
}

static bool
grant(struct worker *w, const struct spool_locator *at)
{
    struct grant *g = map_get(&w->grants, segment_key(&at->segment));
    int fd;

    /* One that was asked back and not yet given: it stays, and the worker's
     * FORGOTTEN, which is under way, must not end the new grant. */
    if (g != NULL && !g->asked_back)
        return true;
    if (g != NULL)
        return false;
    fd = spool_log_store_grant(w->all->store, at->segment);
    if (fd < 0)
        return false;
    g = alloc_zero(sizeof *g);
    g->generation = at->generation;
    (void)map_put(&w->grants, segment_key(&at->segment), g);
    say(w,
        &(struct job_msg){.type = JOB_SEGMENT,
                          .segment = at->segment,
                          .generation = at->generation},
        fd);
    return true;
}

void
workers_forget(void *ctx, uint64_t segment)
{
    struct workers *all = ctx;

    for (struct worker *w = all->first; w != NULL; w = w->next) {
        struct grant *g = map_get(&w->grants, segment_key(&segment));
        if (g == NULL || g->asked_back)
            continue;
        g->asked_back = true;
        say(w,
            &(struct job_msg){.type = JOB_FORGET,
                              .segment = segment,
                              .generation = g->generation},
            -1);
    }
}

/* ---- the life of a worker ------------------------------------------------ */

static void
bury(struct worker *w)
{
    struct worker **at = &w->all->first;

    if (w->hand.n > 0)
        log_event(LOG_WARNING, "worker-died",
                  LOG_S("role", str_from(role_name(w->role))),
                  LOG_N("slot", w->slot), LOG_N("in_hand", (int64_t)w->hand.n),
                  LOG_END);
    schedule_lost(w->all->schedule, &w->hand, loop_now(w->all->loop));
    ungrant_all(w);
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    free(w);
}

static void
on_end(void *ctx)
{
    struct worker *w = ctx;

    channel_free(w->channel);
    w->channel = NULL;
    if (w->reaped)
        bury(w);
}

/* It leaves and has nothing any more: closing the pipe lets it go. */
static void
dismiss(struct worker *w)
{
    channel_free(w->channel);
    w->channel = NULL;
    ungrant_all(w);
}

void
workers_reaped(struct workers *all, enum role role, uint32_t slot,
               uint64_t incarnation)
{
    for (struct worker *w = all->first; w != NULL; w = w->next) {
        if (w->role != role || w->slot != slot || w->incarnation != incarnation)
            continue;
        w->reaped = true;
        if (all->open && w->channel == NULL)
            bury(w); // what it said last has been read
        return;
    }
}

/* ---- frames -------------------------------------------------------------- */

static struct sched_job *
job_of(struct worker *w, const struct job_msg *m)
{
    struct sched_job *j = schedule_find(w->all->schedule, m->job);

    if (j == NULL)
        j = schedule_adopt(w->all->schedule, carrier_of(w), w->slot, m);
    else if (j->holder != w)
        return NULL;
    if (j != NULL && j->holder == NULL) {
        j->holder = w;
        sched_list_add(&w->hand, j);
    }
    return j;
}

static void
take_outcomes(struct worker *w, const struct job_msg *m)
{
    struct sched_job *j = job_of(w, m);

    w->outcomes++;
    if (j == NULL)
        return; // an earlier queue had written it already
    sched_list_remove(&w->hand, j);
    schedule_report(w->all->schedule, j, m->rcpts, m->n_rcpts,
                    loop_now(w->all->loop));
}

static bool
take(struct worker *w, const struct job_msg *m)
{
    if (m->type == JOB_HELLO) {
        bool first = !w->hello;
        w->hello = true;
        w->expected = m->job;
        return first;
    }
    if (!w->hello)
        return false;
    if (m->type == JOB_FORGOTTEN) {
        ungrant(w, m->segment);
        return true;
    }
    if (m->type == JOB_LEAVING) {
        w->leaving = true;
        return true;
    }
    if (w->expected > 0)
        w->expected--;
    if (m->type == JOB_RUNNING)
        (void)job_of(w, m);
    else if (m->type == JOB_OUTCOMES)
        take_outcomes(w, m);
    else
        return false;
    return true;
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct worker *w = ctx;
    struct arena a = {0};
    struct job_msg m;
    bool ok = job_decode(&a, frame, &m) && fd < 0 && take(w, &m);

    arena_fini(&a);
    if (fd >= 0)
        (void)close(fd);
    if (ok)
        return;
    log_event(LOG_ERROR, "job-pipe-closed",
              LOG_S("role", str_from(role_name(w->role))),
              LOG_N("slot", w->slot), LOG_N("frame", m.type), LOG_END);
    on_end(w);
}

static void
open_one(struct worker *w)
{
    w->channel = channel_new(w->all->loop, w->fd, on_frame, on_end, w);
}

void
workers_add(struct workers *all, enum role role, uint32_t slot,
            uint64_t incarnation, int fd)
{
    struct worker *w = alloc_zero(sizeof *w);

    for (struct worker *o = all->first; o != NULL; o = o->next)
        if (o->role == role && o->slot == slot)
            o->current = false;
    w->all = all;
    w->role = role;
    w->slot = slot;
    w->incarnation = incarnation;
    w->fd = fd;
    w->current = true;
    w->initial = !all->open;
    w->next = all->first;
    all->first = w;
    if (all->open)
        open_one(w);
}

void
workers_open(struct workers *all)
{
    if (all->open)
        return;
    all->open = true;
    for (struct worker *w = all->first; w != NULL; w = w->next)
        open_one(w);
}

bool
workers_settled(const struct workers *all)
{
    if (!all->open)
        return false;
    for (const struct worker *w = all->first; w != NULL; w = w->next)
        if (w->initial && w->channel != NULL && (!w->hello || w->expected > 0))
            return false;
    return true;
}

/* ---- handing out --------------------------------------------------------- */

static void
send_work(struct worker *w, const struct sched_job *j)
{
    const struct sched_message *m = j->message;
    struct arena a = {0};
    struct job_msg msg = {.type = JOB_WORK,
                          .job = j->number,
                          .id = m->id,
                          .at = m->at,
                          .destination = j->destination->name,
                          .sender = m->envelope.sender,
                          .envid = m->envelope.envid,
                          .ret = m->envelope.ret,
                          .body = m->envelope.body,
                          .smtputf8 = m->envelope.smtputf8,
                          .session = m->envelope.session,
                          .size = m->size,
                          .arrived_ms = m->envelope.arrived_ms};
    size_t n = 0;

    msg.n_rcpts = j->n_rcpts;
    msg.rcpts = arena_array(&a, j->n_rcpts, sizeof *msg.rcpts);
    for (const struct sched_rcpt *r = j->first; r != NULL; r = r->next)
        msg.rcpts[n++] = (struct job_rcpt){.index = r->index,
                                           .attempts = r->attempts,
                                           .address = r->address,
                                           .orcpt = r->orcpt,
                                           .notify = r->notify};
    say(w, &msg, -1);
    arena_fini(&a);
}

/* false: what the message lies in cannot be opened now. */
static bool
send_large(struct worker *w, uint64_t large)
{
    int fd;

    if (large == 0)
        return true;
    fd = spool_log_store_large(w->all->store, large);
    if (fd < 0)
        return false;
    say(w, &(struct job_msg){.type = JOB_LARGE, .large = large}, fd);
    (void)close(fd);
    return true;
}

static void
hand_out(struct worker *w, struct sched_job *j)
{
    const struct spool_locator *at = &j->message->at;

    if (!grant(w, at) || !send_large(w, at->large)) {
        schedule_report(w->all->schedule, j, NULL, 0, loop_now(w->all->loop));
        return;
    }
    j->holder = w;
    sched_list_add(&w->hand, j);
    spool_handed(w->all->store, j->message->id);
    send_work(w, j);
}

void
workers_pump(struct workers *all)
{
    for (struct worker *w = all->first; w != NULL; w = w->next) {
        struct sched_job *j;
        while (w->current && w->hello && !w->leaving && w->channel != NULL &&
               channel_backlog(w->channel) < BACKLOG_MAX &&
               (j = schedule_next(all->schedule, carrier_of(w), w->slot,
                                  loop_now(all->loop))) != NULL)
            hand_out(w, j);
    }
}

void
workers_confirm(struct workers *all)
{
    for (struct worker *w = all->first; w != NULL; w = w->next) {
        if (w->confirmed != w->outcomes)
            say(w, &(struct job_msg){.type = JOB_TAKEN, .job = w->outcomes},
                -1);
        w->confirmed = w->outcomes;
        if (w->leaving && w->hand.n == 0 && w->channel != NULL)
            dismiss(w);
    }
}
