/* SPDX-License-Identifier: ISC */
#include "room/jobs.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/map.h"
#include "os/log.h"

/* How long we outlive a queue that does not come back: what went wrong may be
 * on our side, and master makes us new. */
enum { ORPHAN_MS = 60 * 1000 };

struct jobs_segment {
    uint64_t number, generation;
    int fd;
    size_t users;    /* jobs in hand */
    bool superseded; /* goes with its last user */
    bool forget;     /* the queue waits for FORGOTTEN */
};

/* Outcomes that the queue has not confirmed. */
struct report {
    struct report *next;
    struct buf frame;
};

struct jobs {
    struct room *room;
    jobs_work_fn on_work;
    void *ctx;
    struct channel *channel; /* NULL: the queue is away */
    struct timer *orphan;
    struct work *first, *last; /* in hand */
    size_t in_hand;
    struct map segments; /* number -> jobs_segment */
    int large_fd;        /* for the WORK that comes next */
    uint64_t large;
    struct report *reports, **reports_end;
    uint64_t taken;   /* of the reports on this pipe */
    int64_t since_ms; /* wall clock: this queue was met */
    bool draining;
};

static void
say(struct jobs *j, const struct job_msg *m)
{
    struct buf frame = {0};

    if (j->channel == NULL)
        return;
    job_encode(&frame, m);
    channel_send(j->channel, buf_str(&frame));
    buf_fini(&frame);
}

static void
on_orphan(void *ctx)
{
    struct jobs *j = ctx;
    room_fail(j->room, "the queue is gone and does not come back");
}

struct jobs *
jobs_new(struct room *r, jobs_work_fn on_work, void *ctx)
{
    struct jobs *j = alloc_zero(sizeof *j);

    j->room = r;
    j->on_work = on_work;
    j->ctx = ctx;
    j->large_fd = -1;
    j->reports_end = &j->reports;
    j->orphan = timer_new(r->loop, on_orphan, j);
    return j;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void
segment_free(struct jobs_segment *s)
{
    close_fd(&s->fd);
    free(s);
}

static void
work_free(struct work *w)
{
    close_fd(&w->large_fd);
    arena_fini(&w->arena);
    free(w);
}

void
jobs_free(struct jobs *j)
{
    size_t at = 0;
    struct str key;
    void *value;

    if (j == NULL)
        return;
    channel_free(j->channel);
    timer_free(j->orphan);
    for (struct work *w = j->first, *next; w != NULL; w = next) {
        next = w->next;
        if (w->segment->superseded && --w->segment->users == 0)
            segment_free(w->segment);
        work_free(w);
    }
    for (struct report *r = j->reports, *next; r != NULL; r = next) {
        next = r->next;
        buf_fini(&r->frame);
        free(r);
    }
    while (map_next(&j->segments, &at, &key, &value))
        segment_free(value);
    map_fini(&j->segments);
    close_fd(&j->large_fd);
    free(j);
}

/* ---- descriptors --------------------------------------------------------- */

static struct str
segment_key(const uint64_t *number)
{
    return str_from_n(number, sizeof *number);
}

/* No new job will use it; the descriptor goes with its last user. */
static void
supersede(struct jobs_segment *s)
{
    if (s->users == 0)
        segment_free(s);
    else
        s->superseded = true;
}

static void
take_segment(struct jobs *j, const struct job_msg *m, int fd)
{
    struct jobs_segment *s = alloc_zero(sizeof *s), *old;

    s->number = m->segment;
    s->generation = m->generation;
    s->fd = fd;
    old = map_put(&j->segments, segment_key(&s->number), s);
    if (old != NULL)
        supersede(old);
}

static void
say_forgotten(struct jobs *j, uint64_t segment, uint64_t generation)
{
    say(j, &(struct job_msg){.type = JOB_FORGOTTEN,
                             .segment = segment,
                             .generation = generation});
}

static void
forget_segment(struct jobs *j, uint64_t number, uint64_t generation)
{
    struct jobs_segment *s = map_remove(&j->segments, segment_key(&number));

    if (s != NULL && s->users > 0) {
        s->superseded = s->forget = true;
        return;
    }
    if (s != NULL)
        segment_free(s);
    say_forgotten(j, number, generation);
}

static void
release_segment(struct jobs *j, struct jobs_segment *s)
{
    if (--s->users > 0 || !s->superseded)
        return;
    if (s->forget)
        say_forgotten(j, s->number, s->generation);
    segment_free(s);
}

/* ---- work ---------------------------------------------------------------- */

static void
report_add(struct jobs *j, struct work *w)
{
    struct report *r = alloc_zero(sizeof *r);

    w->msg.type = JOB_OUTCOMES;
    job_encode(&r->frame, &w->msg);
    *j->reports_end = r;
    j->reports_end = &r->next;
    if (j->channel != NULL)
        channel_send(j->channel, buf_str(&r->frame));
}

static void
finish_if_left(struct jobs *j)
{
    if (j->draining && j->channel == NULL && j->in_hand == 0)
        room_finish(j->room);
}

void
jobs_done(struct jobs *j, struct work *w)
{
    report_add(j, w);
    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        j->first = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    else
        j->last = w->prev;
    j->in_hand--;
    release_segment(j, w->segment);
    work_free(w);
    finish_if_left(j);
}

static bool
tried_before(const struct jobs *j, const struct job_msg *m)
{
    for (size_t i = 0; i < m->n_rcpts; i++)
        if (m->rcpts[i].attempts > 0)
            return true;
    return m->arrived_ms <= j->since_ms;
}

/* false: the queue speaks of descriptors that it never gave. */
static bool
take_work(struct jobs *j, struct str frame)
{
    struct work *w = alloc_zero(sizeof *w);
    struct jobs_segment *s = NULL;

    w->large_fd = -1;
    if (job_decode(&w->arena, arena_dup(&w->arena, frame), &w->msg))
        s = map_get(&j->segments, segment_key(&w->msg.at.segment));
    if (s == NULL || s->generation != w->msg.at.generation ||
        (w->msg.at.large != 0 && w->msg.at.large != j->large)) {
        work_free(w);
        return false;
    }
    if (w->msg.at.large != 0) {
        w->large_fd = j->large_fd;
        j->large_fd = -1;
        j->large = 0;
    }
    s->users++;
    w->segment = s;
    w->segment_fd = s->fd;
    w->repeated = tried_before(j, &w->msg);
    w->prev = j->last;
    if (j->last != NULL)
        j->last->next = w;
    else
        j->first = w;
    j->last = w;
    j->in_hand++;
    j->on_work(j->ctx, w);
    return true;
}

/* The queue has written the first `taken` reports of this pipe. */
static bool
take_taken(struct jobs *j, uint64_t taken)
{
    for (; j->taken < taken; j->taken++) {
        struct report *r = j->reports;
        if (r == NULL)
            return false;
        j->reports = r->next;
        if (j->reports == NULL)
            j->reports_end = &j->reports;
        buf_fini(&r->frame);
        free(r);
    }
    return true;
}

/* Owns fd. false: nothing that a queue says. */
static bool
handle(struct jobs *j, struct str frame, int fd)
{
    struct arena a = {0};
    struct job_msg m;

    if (frame.n > 0 && frame.p[0] == JOB_WORK) {
        close_fd(&fd);
        return take_work(j, frame);
    }
    if (!job_decode(&a, frame, &m))
        m.type = JOB_NONE;
    arena_fini(&a); // of these frames only numbers are looked at
    if (m.type == JOB_SEGMENT && fd >= 0) {
        take_segment(j, &m, fd);
        return true;
    }
    if (m.type == JOB_LARGE && fd >= 0) {
        close_fd(&j->large_fd);
        j->large_fd = fd;
        j->large = m.large;
        return true;
    }
    close_fd(&fd);
    if (m.type == JOB_TAKEN)
        return take_taken(j, m.job);
    if (m.type == JOB_FORGET)
        forget_segment(j, m.segment, m.generation);
    return m.type == JOB_FORGET;
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct jobs *j = ctx;
    if (!handle(j, frame, fd))
        room_fail(j->room, "the queue sent what no worker understands");
}

/* What we have in hand goes on; the next queue will hear of it. */
static void
on_end(void *ctx)
{
    struct jobs *j = ctx;

    channel_free(j->channel);
    j->channel = NULL;
    timer_set(j->orphan, loop_now(j->room->loop).mono_ms + ORPHAN_MS);
    finish_if_left(j);
}

void
jobs_attach(struct jobs *j, int fd)
{
    struct job_msg m = {.type = JOB_HELLO, .job = j->in_hand};

    channel_free(j->channel);
    timer_clear(j->orphan);
    j->channel = channel_new(j->room->loop, fd, on_frame, on_end, j);
    j->taken = 0;
    j->since_ms = loop_now(j->room->loop).wall_ms;
    for (struct report *r = j->reports; r != NULL; r = r->next)
        m.job++;
    say(j, &m);
    for (struct report *r = j->reports; r != NULL; r = r->next)
        channel_send(j->channel, buf_str(&r->frame));
    for (struct work *w = j->first; w != NULL; w = w->next) {
        m = w->msg;
        m.type = JOB_RUNNING;
        say(j, &m);
    }
    if (j->draining)
        say(j, &(struct job_msg){.type = JOB_LEAVING});
}

size_t
jobs_in_hand(const struct jobs *j)
{
    return j->in_hand;
}

void
jobs_drain(struct jobs *j)
{
    if (j->draining)
        return;
    j->draining = true;
    say(j, &(struct job_msg){.type = JOB_LEAVING});
    finish_if_left(j);
}

bool
jobs_draining(const struct jobs *j)
{
    return j->draining;
}
