/* SPDX-License-Identifier: ISC */
#include "os/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include <uv.h>

#include "base/alloc.h"
#include "os/log.h"
#include "os/loop_internal.h"
#include "os/pool.h"

enum { LOG_RETRY_MS = 50 };

/* The moment of this turn; read when first asked for. */
struct clock {
    struct instant now;
    bool fresh;
};

struct hook {
    loop_fn fn;
    void *ctx;
};

struct signal_watch {
    uv_signal_t uv;
    loop_fn fn;
    void *ctx;
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle; /* active: the next poll does not sleep */
    bool again, idle_active;
    struct clock *clock; /* apart, so that reading it leaves the loop const */

    struct hook *hooks;
    size_t n_hooks;
    struct deferred steps, flushes; /* heads of rings */

    struct timer *log_timer;
    struct pool *pool;
    char *read_buffer;
    struct buf plain;
};

struct watch {
    uv_poll_t uv;
    watch_fn fn;
    void *ctx;
    unsigned wanted, armed;
    bool closed;
};

/*
 * Deadlines move on with every step of a session and almost never pass, so
 * moving one back costs nothing: the heap keeps the earlier time (`armed`) and
 * corrects it when that comes.
 */
struct timer {
    uv_timer_t uv;
    loop_fn fn;
    void *ctx;
    int64_t deadline, armed; /* mono_ms; -1: none */
};

/* What a turn of the loop is. */

static int64_t
read_clock(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct instant
loop_now(const struct loop *l)
{
    struct clock *c = l->clock;
    if (!c->fresh) {
        c->now.wall_ms = read_clock(CLOCK_REALTIME);
        c->now.mono_ms = read_clock(CLOCK_MONOTONIC);
        c->fresh = true;
    }
    return c->now;
}

static void
ring_init(struct deferred *head)
{
    head->next = head->prev = head;
}

static void
ring_add(struct deferred *head, struct deferred *d)
{
    if (d->next != NULL)
        return;
    d->prev = head->prev;
    d->next = head;
    d->prev->next = d;
    head->prev = d;
}

void
loop_withdraw(struct deferred *d)
{
    if (d->next == NULL)
        return;
    d->prev->next = d->next;
    d->next->prev = d->prev;
    d->next = d->prev = NULL;
}

void
loop_defer_step(struct loop *l, struct deferred *d)
{
    ring_add(&l->steps, d);
}

void
loop_defer_flush(struct loop *l, struct deferred *d)
{
    ring_add(&l->flushes, d);
}

/* What is queued while this runs stays for the next time, so that a step that
 * always asks for another cannot starve the poll. */
static void
run_ring(struct deferred *head)
{
    struct deferred batch;
    if (head->next == head)
        return;
    batch = *head;
    batch.next->prev = batch.prev->next = &batch;
    ring_init(head);
    while (batch.next != &batch) {
        struct deferred *d = batch.next;
        loop_withdraw(d);
        d->fn(d);
    }
}

static void
end_turn(struct loop *l)
{
    run_ring(&l->steps);
    for (size_t i = 0; i < l->n_hooks; i++)
        l->hooks[i].fn(l->hooks[i].ctx);
    run_ring(&l->steps);
    run_ring(&l->flushes);
    log_flush();
    if (log_backlog() > 0)
        timer_set(l->log_timer, loop_now(l).mono_ms + LOG_RETRY_MS);
    l->clock->fresh = false;
}

/* It was only to end the sleep: the turn's end writes the log. */
static void
on_log_timer(void *ctx)
{
    (void)ctx;
}

static void
on_idle(uv_idle_t *idle)
{
    (void)idle;
}

/* uv calls this after timers and before the poll. */
static void
on_prepare(uv_prepare_t *prepare)
{
    struct loop *l = prepare->data;
    end_turn(l);

    bool again = l->again || l->steps.next != &l->steps ||
                 l->flushes.next != &l->flushes;
    l->again = false;
    if (again && !l->idle_active)
        (void)uv_idle_start(&l->idle, on_idle);
    else if (!again && l->idle_active)
        (void)uv_idle_stop(&l->idle);
    l->idle_active = again;
}

/* Timers run behind the poll's callbacks: for them time has gone on, so that a
 * timer never runs at a moment before its deadline. */
static void
on_check(uv_check_t *check)
{
    struct loop *l = check->data;
    l->clock->fresh = false;
}

struct loop *
loop_new(void)
{
    struct loop *l = alloc_zero(sizeof *l);
    l->clock = alloc_zero(sizeof *l->clock);
    ring_init(&l->steps);
    ring_init(&l->flushes);
    /* Fails only without descriptors or memory: at start, so we may. */
    if (uv_loop_init(&l->uv) != 0)
        abort();
    (void)uv_prepare_init(&l->uv, &l->prepare);
    (void)uv_check_init(&l->uv, &l->check);
    (void)uv_idle_init(&l->uv, &l->idle);
    l->uv.data = l->prepare.data = l->check.data = l;
    (void)uv_prepare_start(&l->prepare, on_prepare);
    (void)uv_check_start(&l->check, on_check);
    l->log_timer = timer_new(l, on_log_timer, NULL);
    l->pool = pool_new(&l->uv);
    return l;
}

void
loop_run(struct loop *l)
{
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    end_turn(l);
}

void
loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

static void
free_data(uv_handle_t *h)
{
    free(h->data);
}

static void
close_left(uv_handle_t *h, void *ctx)
{
    (void)ctx;
    if (uv_is_closing(h))
        return;
    bool ours =
        h->type == UV_SIGNAL || h->type == UV_POLL || h->type == UV_TIMER;
    uv_close(h, ours ? free_data : NULL);
}

void
loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    uv_walk(&l->uv, close_left, NULL);
    pool_free(l->pool);
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&l->uv);
    assert(rc == 0);
    free(l->hooks);
    free(l->clock);
    free(l->read_buffer);
    buf_fini(&l->plain);
    free(l);
}

void
loop_at_turn_end(struct loop *l, loop_fn fn, void *ctx)
{
    l->hooks = alloc_resize(l->hooks, (l->n_hooks + 1) * sizeof *l->hooks);
    l->hooks[l->n_hooks++] = (struct hook){fn, ctx};
}

void
loop_again(struct loop *l)
{
    l->again = true;
}

struct executor
loop_executor(struct loop *l)
{
    return pool_executor(l->pool);
}

static void
on_signal(uv_signal_t *uv, int signo)
{
    struct signal_watch *s = uv->data;
    (void)signo;
    s->fn(s->ctx);
}

static void
watch_signal(struct loop *l, int signo, loop_fn fn, void *ctx)
{
    struct signal_watch *s = alloc_zero(sizeof *s);
    s->fn = fn;
    s->ctx = ctx;
    (void)uv_signal_init(&l->uv, &s->uv);
    s->uv.data = s;
    (void)uv_signal_start(&s->uv, on_signal, signo);
}

void
loop_on_signal(struct loop *l, enum loop_signal which, loop_fn fn, void *ctx)
{
    switch (which) {
    case LOOP_CHILD_ENDED:
        watch_signal(l, SIGCHLD, fn, ctx);
        break;
    case LOOP_RELOAD:
        watch_signal(l, SIGHUP, fn, ctx);
        break;
    case LOOP_TERMINATE:
        watch_signal(l, SIGTERM, fn, ctx);
        watch_signal(l, SIGINT, fn, ctx);
        break;
    }
}

char *
loop_read_buffer(struct loop *l)
{
    if (l->read_buffer == NULL)
        l->read_buffer = alloc_resize(NULL, LOOP_READ_MAX);
    return l->read_buffer;
}

struct buf *
loop_plain_buffer(struct loop *l)
{
    return &l->plain;
}

/* Watches */

static void arm(struct watch *w);

static void
on_poll(uv_poll_t *uv, int status, int events)
{
    struct watch *w = uv->data;
    unsigned ready = ((events & UV_READABLE) ? (unsigned)LOOP_READ : 0) |
                     ((events & UV_WRITABLE) ? (unsigned)LOOP_WRITE : 0);
    if (status < 0) { // uv has stopped watching: on EPOLLERR
        w->armed = 0;
        ready = w->wanted;
    }
    ready &= w->wanted;
    if (ready != 0)
        w->fn(w->ctx, ready);
    if (!w->closed)
        arm(w);
}

/* uv_poll_start() stops first and so costs two system calls: only on change. */
static void
arm(struct watch *w)
{
    if (w->armed == w->wanted)
        return;
    w->armed = w->wanted;
    if (w->wanted == 0) {
        (void)uv_poll_stop(&w->uv);
        return;
    }
    (void)uv_poll_start(&w->uv,
                        ((w->wanted & LOOP_READ) ? UV_READABLE : 0) |
                            ((w->wanted & LOOP_WRITE) ? UV_WRITABLE : 0),
                        on_poll);
}

struct watch *
watch_new(struct loop *l, int fd, watch_fn fn, void *ctx)
{
    struct watch *w = alloc_zero(sizeof *w);
    w->fn = fn;
    w->ctx = ctx;
    w->uv.data = w;
    int rc = uv_poll_init(&l->uv, &w->uv, fd);
    assert(rc == 0); // a descriptor that cannot be polled is our mistake
    return w;
}

void
watch_want(struct watch *w, unsigned events)
{
    w->wanted = events;
    arm(w);
}

void
watch_free(struct watch *w)
{
    if (w == NULL || w->closed)
        return;
    w->closed = true;
    uv_close((uv_handle_t *)&w->uv, free_data);
}

/* Timers */

static void
on_timer(uv_timer_t *uv)
{
    struct timer *t = uv->data;
    struct loop *l = uv->loop->data;
    int64_t deadline = t->deadline;
    t->armed = -1;
    if (deadline < 0)
        return;
    if (deadline > loop_now(l).mono_ms) {
        timer_set(t, deadline);
        return;
    }
    t->deadline = -1;
    t->fn(t->ctx);
}

struct timer *
timer_new(struct loop *l, loop_fn fn, void *ctx)
{
    struct timer *t = alloc_zero(sizeof *t);
    t->fn = fn;
    t->ctx = ctx;
    t->deadline = t->armed = -1;
    t->uv.data = t;
    (void)uv_timer_init(&l->uv, &t->uv);
    return t;
}

void
timer_set(struct timer *t, int64_t mono_ms)
{
    t->deadline = mono_ms < 0 ? 0 : mono_ms;
    if (t->armed >= 0 && t->armed <= t->deadline)
        return;
    t->armed = t->deadline;
    int64_t now = (int64_t)uv_now(t->uv.loop);
    (void)uv_timer_start(&t->uv, on_timer,
                         mono_ms > now ? (uint64_t)(mono_ms - now) : 0, 0);
}

void
timer_clear(struct timer *t)
{
    t->deadline = -1;
}

void
timer_free(struct timer *t)
{
    if (t != NULL)
        uv_close((uv_handle_t *)&t->uv, free_data);
}
