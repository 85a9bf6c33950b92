/* SPDX-License-Identifier: ISC */
/*
 * Sockets are watched by an epoll set of our own, in which libuv's descriptor
 * is one more member: uv brings the thread pool and signals. Its own watcher
 * costs six system calls to come and go where one will do, and at one
 * connection a message that is a fifth of receive's budget.
 */
#include "os/loop.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "base/alloc.h"
#include "os/log.h"
#include "os/loop_internal.h"
#include "os/pool.h"

enum {
    LOG_RETRY_MS = 50,
    EVENTS_AT_ONCE = 256,
    PLAIN_MAX = LOOP_READ_MAX + (64 << 10), /* some TLS records more */
};

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
    int epoll;
    uv_loop_t uv;
    uv_prepare_t alive; /* without an active handle uv_run() does nothing */
    bool uv_touched;    /* uv has something to register */
    bool again;         /* the next poll does not sleep */
    bool stopped;
    struct clock *clock; /* apart, so that reading it leaves the loop const */

    struct hook *hooks, *flush_hooks;
    size_t n_hooks, n_flush_hooks;
    struct deferred steps, flushes; /* heads of rings */

    struct timer **heap; /* the earliest on top */
    size_t n_heap, cap_heap;
    struct timer *timers; /* all that live */
    struct timer *log_timer;

    struct watch *watches; /* all that live */
    struct watch *dead;    /* freed, but an event may still name them */

    struct pool *pool;
    char *read_buffer;
    struct buf plain;
};

struct watch {
    struct loop *loop;
    watch_fn fn;
    void *ctx;
    int fd;
    unsigned char wanted, armed;
    bool closed;
    struct watch *next, *prev; /* in watches; next in dead */
};

/*
 * Deadlines move on with every step of a session and almost never pass, so
 * moving one back costs nothing: the heap keeps the earlier time (`armed`) and
 * corrects it when that comes.
 */
struct timer {
    struct loop *loop;
    loop_fn fn;
    void *ctx;
    int64_t deadline, armed;   /* mono_ms; deadline -1: none */
    size_t at;                 /* in the heap; NOWHERE */
    struct timer *next, *prev; /* in timers */
};

static const size_t NOWHERE = SIZE_MAX;

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
    for (size_t i = 0; i < l->n_flush_hooks; i++)
        l->flush_hooks[i].fn(l->flush_hooks[i].ctx);
    log_flush(); // before anybody can act on what it tells of
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

static int
sleep_ms(const struct loop *l)
{
    if (l->again || l->uv_touched || l->steps.next != &l->steps ||
        l->flushes.next != &l->flushes)
        return 0;
    if (l->n_heap == 0)
        return -1;
    int64_t ms = l->heap[0]->armed - loop_now(l).mono_ms;
    return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static void on_event(struct watch *w, uint32_t events);
static void run_timers(struct loop *l);

static void
free_dead(struct loop *l)
{
    while (l->dead != NULL) {
        struct watch *w = l->dead;
        l->dead = w->next;
        free(w);
    }
}

/* One turn: sleep, then everything that is ready, then timers. */
static void
turn(struct loop *l)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int ms = sleep_ms(l);
    l->again = false;
    l->clock->fresh = false;
    int n = epoll_wait(l->epoll, events, EVENTS_AT_ONCE, ms);
    bool run_uv = l->uv_touched;
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == NULL)
            run_uv = true;
        else
            on_event(events[i].data.ptr, events[i].events);
    }
    l->uv_touched = false;
    if (run_uv)
        (void)uv_run(&l->uv, UV_RUN_NOWAIT);
    /* Time has gone on: a timer never runs before its deadline. */
    l->clock->fresh = false;
    run_timers(l);
    free_dead(l);
}

static void
on_uv(uv_prepare_t *alive)
{
    (void)alive;
}

struct loop *
loop_new(void)
{
    struct loop *l = alloc_zero(sizeof *l);
    struct epoll_event uv = {.events = EPOLLIN};
    l->clock = alloc_zero(sizeof *l->clock);
    ring_init(&l->steps);
    ring_init(&l->flushes);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    /* Fails only without descriptors or memory: at start, so we may. */
    if (l->epoll < 0 || uv_loop_init(&l->uv) != 0 ||
        epoll_ctl(l->epoll, EPOLL_CTL_ADD, uv_backend_fd(&l->uv), &uv) < 0)
        abort();
    (void)uv_prepare_init(&l->uv, &l->alive);
    (void)uv_prepare_start(&l->alive, on_uv);
    l->uv_touched = true;
    l->log_timer = timer_new(l, on_log_timer, NULL);
    l->pool = pool_new(&l->uv);
    return l;
}

void
loop_run(struct loop *l)
{
    while (!l->stopped) {
        end_turn(l);
        if (!l->stopped)
            turn(l);
    }
    end_turn(l);
    l->stopped = false;
}

void
loop_stop(struct loop *l)
{
    l->stopped = true;
}

static void
free_data(uv_handle_t *h)
{
    free(h->data);
}

static void
close_handle(uv_handle_t *h, void *ctx)
{
    (void)ctx;
    if (!uv_is_closing(h))
        uv_close(h, h->type == UV_SIGNAL ? free_data : NULL);
}

void
loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    pool_free(l->pool);
    uv_walk(&l->uv, close_handle, NULL);
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&l->uv);
    assert(rc == 0);
    while (l->watches != NULL)
        watch_free(l->watches);
    free_dead(l);
    while (l->timers != NULL)
        timer_free(l->timers);
    (void)close(l->epoll);
    free(l->heap);
    free(l->hooks);
    free(l->flush_hooks);
    free(l->clock);
    free(l->read_buffer);
    buf_fini(&l->plain);
    free(l);
}

static void
add_hook(struct hook **hooks, size_t *n, loop_fn fn, void *ctx)
{
    *hooks = alloc_resize(*hooks, (*n + 1) * sizeof **hooks);
    (*hooks)[(*n)++] = (struct hook){fn, ctx};
}

void
loop_at_turn_end(struct loop *l, loop_fn fn, void *ctx)
{
    add_hook(&l->hooks, &l->n_hooks, fn, ctx);
}

void
loop_at_flush(struct loop *l, loop_fn fn, void *ctx)
{
    add_hook(&l->flush_hooks, &l->n_flush_hooks, fn, ctx);
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
    l->uv_touched = true;
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
    buf_clear(&l->plain);
    (void)buf_reserve(&l->plain, PLAIN_MAX); // growing would leave copies
    return &l->plain;
}

/* Watches */

static void
arm(struct watch *w)
{
    if (w->armed == w->wanted)
        return;
    struct epoll_event e = {
        .events = ((w->wanted & LOOP_READ) ? (uint32_t)EPOLLIN : 0) |
                  ((w->wanted & LOOP_WRITE) ? (uint32_t)EPOLLOUT : 0),
        .data.ptr = w};
    /* Out of the set altogether when nothing is wanted: a hang-up would be
     * reported again and again. */
    int how = w->armed == 0    ? EPOLL_CTL_ADD
              : w->wanted == 0 ? EPOLL_CTL_DEL
                               : EPOLL_CTL_MOD;
    int rc = epoll_ctl(w->loop->epoll, how, w->fd, &e);
    assert(rc == 0); // a descriptor that cannot be polled is our mistake
    w->armed = w->wanted;
}

static void
on_event(struct watch *w, uint32_t events)
{
    unsigned ready = 0;
    if (w->closed)
        return;
    if (events & (EPOLLERR | EPOLLHUP))
        ready = w->wanted;
    if (events & EPOLLIN)
        ready |= LOOP_READ;
    if (events & EPOLLOUT)
        ready |= LOOP_WRITE;
    ready &= w->wanted;
    if (ready != 0)
        w->fn(w->ctx, ready);
}

struct watch *
watch_new(struct loop *l, int fd, watch_fn fn, void *ctx)
{
    struct watch *w = alloc_zero(sizeof *w);
    w->loop = l;
    w->fd = fd;
    w->fn = fn;
    w->ctx = ctx;
    w->next = l->watches;
    if (w->next != NULL)
        w->next->prev = w;
    l->watches = w;
    return w;
}

void
watch_want(struct watch *w, unsigned events)
{
    w->wanted = (unsigned char)events;
    arm(w);
}

void
watch_free_closing(struct watch *w)
{
    w->armed = 0; // the kernel forgets it with the last descriptor
    watch_free(w);
}

void
watch_free(struct watch *w)
{
    if (w == NULL || w->closed)
        return;
    w->wanted = 0;
    arm(w);
    w->closed = true;
    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        w->loop->watches = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    w->next = w->loop->dead;
    w->loop->dead = w;
}

/* Timers: a binary heap by `armed`. */

static void
put(struct loop *l, size_t at, struct timer *t)
{
    l->heap[at] = t;
    t->at = at;
}

static void
sift_up(struct loop *l, size_t at, struct timer *t)
{
    while (at > 0 && l->heap[(at - 1) / 2]->armed > t->armed) {
        put(l, at, l->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(l, at, t);
}

static void
sift_down(struct loop *l, size_t at, struct timer *t)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < l->n_heap &&
            l->heap[child + 1]->armed < l->heap[child]->armed)
            child++;
        if (child >= l->n_heap || l->heap[child]->armed >= t->armed)
            break;
        put(l, at, l->heap[child]);
        at = child;
    }
    put(l, at, t);
}

static void
insert(struct loop *l, struct timer *t)
{
    if (l->n_heap == l->cap_heap) {
        l->cap_heap = l->cap_heap == 0 ? 16 : 2 * l->cap_heap;
        l->heap = alloc_resize(l->heap, l->cap_heap * sizeof(struct timer *));
    }
    sift_up(l, l->n_heap++, t);
}

static void
take_out(struct loop *l, struct timer *t)
{
    if (t->at == NOWHERE)
        return;
    size_t at = t->at;
    struct timer *last = l->heap[--l->n_heap];
    t->at = NOWHERE;
    if (last == t)
        return;
    if (at > 0 && l->heap[(at - 1) / 2]->armed > last->armed)
        sift_up(l, at, last);
    else
        sift_down(l, at, last);
}

/* A timer that its callback sets again for now waits for the next turn. */
static void
run_timers(struct loop *l)
{
    int64_t now = l->n_heap > 0 ? loop_now(l).mono_ms : 0;
    for (size_t most = l->n_heap; most > 0 && l->n_heap > 0; most--) {
        struct timer *t = l->heap[0];
        if (t->armed > now)
            return;
        int64_t deadline = t->deadline;
        take_out(l, t);
        if (deadline < 0)
            continue;
        if (deadline > now) {
            timer_set(t, deadline);
            continue;
        }
        t->deadline = -1;
        t->fn(t->ctx);
    }
}

struct timer *
timer_new(struct loop *l, loop_fn fn, void *ctx)
{
    struct timer *t = alloc_zero(sizeof *t);
    t->loop = l;
    t->fn = fn;
    t->ctx = ctx;
    t->deadline = -1;
    t->at = NOWHERE;
    t->next = l->timers;
    if (t->next != NULL)
        t->next->prev = t;
    l->timers = t;
    return t;
}

void
timer_set(struct timer *t, int64_t mono_ms)
{
    t->deadline = mono_ms < 0 ? 0 : mono_ms;
    if (t->at != NOWHERE && t->armed <= t->deadline)
        return;
    take_out(t->loop, t);
    t->armed = t->deadline;
    insert(t->loop, t);
}

void
timer_clear(struct timer *t)
{
    t->deadline = -1;
}

void
timer_free(struct timer *t)
{
    if (t == NULL)
        return;
    take_out(t->loop, t);
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        t->loop->timers = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    free(t);
}
