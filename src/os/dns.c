/* SPDX-License-Identifier: ISC */
#include "os/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <unbound-event.h>
#include <unbound.h>

#include "base/alloc.h"
#include "os/dns_packet.h"

enum { RCODE_NXDOMAIN = 3, CLASS_IN = 1, BOGUS = 1, SECURE = 2 };

/* A question, from dns_ask() to its answer; as a zombie (fn NULL) until
 * libunbound lets go of it, for its own way to cancel needs its threads. */
struct dns_query {
    struct dns *dns;
    struct dns_query *next, *prev; /* in dns->asked or dns->answered */
    dns_fn fn;
    void *ctx;
    enum dns_type type;
    int64_t deadline_ms;
    bool held;    /* libunbound has it */
    bool settled; /* the answer is there, or given up */
    struct arena arena;
    struct dns_answer answer;
};

struct queue {
    struct dns_query *first, *last;
};

struct dns {
    struct ub_event_base base; /* libunbound's view of our loop; first */
    struct loop *loop;
    struct ub_ctx *unbound;
    int64_t timeout_ms;
    struct timer *timer;    /* the next answer to give, or to give up */
    struct queue asked;     /* by deadline: all wait equally long */
    struct queue answered;  /* to be told from the loop */
    struct queue abandoned; /* zombies */
};

/* ---- our loop as libunbound's event base -------------------------------- */

/* libunbound's callback type. */
typedef void (*fire_fn)(int fd, short bits, void *arg);

struct event {
    struct ub_event ub; /* first */
    struct dns *dns;
    int fd;
    short bits;
    fire_fn fire;
    void *arg;
    struct watch *watch;
    struct timer *timer;
    int64_t interval_ms; /* -1: no deadline */
};

static void
event_disarm(struct event *e)
{
    // Here, not when it is freed: the descriptor is closed in between.
    watch_free(e->watch);
    e->watch = NULL;
    if (e->timer != NULL)
        timer_clear(e->timer);
    e->interval_ms = -1;
}

static void
event_arm_timer(struct event *e)
{
    if (e->interval_ms >= 0)
        timer_set(e->timer, loop_now(e->dns->loop).mono_ms + e->interval_ms);
}

static void
event_fire(struct event *e, short bits)
{
    if (e->bits & UB_EV_PERSIST)
        event_arm_timer(e);
    else
        event_disarm(e);
    e->fire(e->fd, bits, e->arg); // may free e
}

static void
on_ready(void *ctx, unsigned ready)
{
    struct event *e = ctx;
    int bits = ((ready & LOOP_READ) ? UB_EV_READ : 0) |
               ((ready & LOOP_WRITE) ? UB_EV_WRITE : 0);
    event_fire(e, (short)(bits & e->bits));
}

static void
on_event_timer(void *ctx)
{
    event_fire(ctx, UB_EV_TIMEOUT);
}

static int
event_add(struct ub_event *ub, struct timeval *after)
{
    struct event *e = (struct event *)ub;

    event_disarm(e);
    if (e->fd >= 0 && (e->bits & (UB_EV_READ | UB_EV_WRITE))) {
        e->watch = watch_new(e->dns->loop, e->fd, on_ready, e);
        watch_want(e->watch,
                   ((e->bits & UB_EV_READ) ? (unsigned)LOOP_READ : 0) |
                       ((e->bits & UB_EV_WRITE) ? (unsigned)LOOP_WRITE : 0));
    }
    if (after != NULL && (e->bits & UB_EV_TIMEOUT)) {
        if (e->timer == NULL)
            e->timer = timer_new(e->dns->loop, on_event_timer, e);
        e->interval_ms =
            (int64_t)after->tv_sec * 1000 + (after->tv_usec + 999) / 1000;
        event_arm_timer(e);
    }
    return 0;
}

static int
event_del(struct ub_event *ub)
{
    event_disarm((struct event *)ub);
    return 0;
}

static void
event_free(struct ub_event *ub)
{
    struct event *e = (struct event *)ub;
    event_disarm(e);
    timer_free(e->timer);
    free(e);
}

static void
event_add_bits(struct ub_event *ub, short bits)
{
    struct event *e = (struct event *)ub;
    e->bits = (short)(e->bits | bits);
}

static void
event_del_bits(struct ub_event *ub, short bits)
{
    struct event *e = (struct event *)ub;
    e->bits = (short)(e->bits & ~bits);
}

static void
event_set_fd(struct ub_event *ub, int fd)
{
    ((struct event *)ub)->fd = fd;
}

static int
event_add_timer(struct ub_event *ub, struct ub_event_base *base, fire_fn fire,
                void *arg, struct timeval *after)
{
    struct event *e = (struct event *)ub;
    (void)base;
    e->fd = -1;
    e->bits = UB_EV_TIMEOUT;
    e->fire = fire;
    e->arg = arg;
    return event_add(ub, after);
}

static int
event_no_signal(struct ub_event *ub, struct timeval *after)
{
    (void)ub;
    (void)after;
    return -1;
}

static int
event_no_signal_del(struct ub_event *ub)
{
    (void)ub;
    return -1;
}

static void
event_no_wsaevent(struct ub_event *ub)
{
    (void)ub;
}

static void
event_no_wouldblock(struct ub_event *ub, int bits)
{
    (void)ub;
    (void)bits;
}

static struct ub_event *
base_new_event(struct ub_event_base *base, int fd, short bits, fire_fn fire,
               void *arg)
{
    static struct ub_event_vmt vmt = {
        .add_bits = event_add_bits,
        .del_bits = event_del_bits,
        .set_fd = event_set_fd,
        .free = event_free,
        .add = event_add,
        .del = event_del,
        .add_timer = event_add_timer,
        .del_timer = event_del,
        .add_signal = event_no_signal,
        .del_signal = event_no_signal_del,
        .winsock_unregister_wsaevent = event_no_wsaevent,
        .winsock_tcp_wouldblock = event_no_wouldblock,
    };
    struct event *e = alloc_zero(sizeof *e);

    e->ub.magic = UB_EVENT_MAGIC;
    e->ub.vmt = &vmt;
    e->dns = (struct dns *)base;
    e->fd = fd;
    e->bits = bits;
    e->fire = fire;
    e->arg = arg;
    e->interval_ms = -1;
    return &e->ub;
}

static void
base_free(struct ub_event_base *base)
{
    (void)base; // a part of struct dns
}

static int
base_no_dispatch(struct ub_event_base *base)
{
    (void)base;
    return -1;
}

static int
base_no_loopexit(struct ub_event_base *base, struct timeval *after)
{
    (void)base;
    (void)after;
    return -1;
}

static struct ub_event *
base_no_signal(struct ub_event_base *base, int fd, fire_fn fire, void *arg)
{
    (void)base;
    (void)fd;
    (void)fire;
    (void)arg;
    return NULL;
}

static struct ub_event *
base_no_wsaevent(struct ub_event_base *base, void *wsaevent, fire_fn fire,
                 void *arg)
{
    (void)base;
    (void)wsaevent;
    (void)fire;
    (void)arg;
    return NULL;
}

/* ---- questions and answers ---------------------------------------------- */

static void
queue_add(struct queue *q, struct dns_query *x)
{
    x->next = NULL;
    x->prev = q->last;
    if (q->last != NULL)
        q->last->next = x;
    else
        q->first = x;
    q->last = x;
}

static void
queue_remove(struct queue *q, struct dns_query *x)
{
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        q->first = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    else
        q->last = x->prev;
    x->next = x->prev = NULL;
}

/* The first; NULL: it is empty. */
static struct dns_query *
queue_take(struct queue *q)
{
    struct dns_query *x = q->first;

    if (x == NULL)
        return NULL;
    q->first = x->next;
    if (q->first != NULL)
        q->first->prev = NULL;
    else
        q->last = NULL;
    x->next = NULL;
    return x;
}

static void
query_free(struct dns_query *q)
{
    arena_fini(&q->arena);
    free(q);
}

static void
queue_free(struct queue *queue)
{
    for (struct dns_query *q; (q = queue_take(queue)) != NULL;)
        query_free(q);
}

static void
set_timer(struct dns *d)
{
    if (d->answered.first != NULL)
        timer_set(d->timer, loop_now(d->loop).mono_ms);
    else if (d->asked.first != NULL)
        timer_set(d->timer, d->asked.first->deadline_ms);
    else
        timer_clear(d->timer);
}

/* From asked to answered; told when the loop comes by. */
static void
settle(struct dns_query *q, struct dns_answer answer)
{
    struct dns *d = q->dns;
    queue_remove(&d->asked, q);
    q->settled = true;
    q->answer = answer;
    queue_add(&d->answered, q);
    set_timer(d);
}

/* Nobody waits for it any more. */
static void
let_go(struct dns_query *q)
{
    if (q->held)
        queue_add(&q->dns->abandoned, q);
    else
        query_free(q);
}

static void
on_resolved(void *ctx, int rcode, void *packet, int n, int sec, char *why_bogus,
            int limited)
{
    struct dns_query *q = ctx;
    struct dns_answer answer = {.result = DNS_TROUBLE};

    (void)why_bogus;
    (void)limited;
    q->held = false;
    if (q->fn == NULL) {
        queue_remove(&q->dns->abandoned, q);
        query_free(q);
        return;
    }
    if (q->settled) // too late
        return;
    if (rcode == RCODE_NXDOMAIN)
        answer.result = DNS_NO_NAME;
    else if (rcode == 0 && packet != NULL && n > 0 && sec != BOGUS)
        answer =
            dns_packet_read(&q->arena, str_from_n(packet, (size_t)n), q->type);
    answer.secure = sec == SECURE;
    settle(q, answer);
}

static void
tell(struct dns_query *q)
{
    dns_fn fn = q->fn;

    q->fn = NULL;
    fn(q->ctx, &q->answer);
    let_go(q);
}

static void
on_timer(void *ctx)
{
    struct dns *d = ctx;
    int64_t now = loop_now(d->loop).mono_ms;

    while (d->asked.first != NULL && d->asked.first->deadline_ms <= now)
        settle(d->asked.first, (struct dns_answer){.result = DNS_TROUBLE});
    // What is asked and answered at once meanwhile waits for the next turn.
    size_t n = 0;
    for (const struct dns_query *q = d->answered.first; q != NULL; q = q->next)
        n++;
    for (struct dns_query *q; n > 0 && (q = queue_take(&d->answered)) != NULL;
         n--)
        tell(q);
    set_timer(d);
}

struct dns_query *
dns_ask(struct dns *d, struct str name, enum dns_type type, dns_fn fn,
        void *ctx)
{
    struct dns_query *q = alloc_zero(sizeof *q);
    int rc;

    q->dns = d;
    q->fn = fn;
    q->ctx = ctx;
    q->type = type;
    q->held = true;
    q->deadline_ms = loop_now(d->loop).mono_ms + d->timeout_ms;
    queue_add(&d->asked, q);
    // Calls back at once where it knows the answer.
    rc = ub_resolve_event(d->unbound, arena_cstr(&q->arena, name), (int)type,
                          CLASS_IN, q, on_resolved, NULL);
    if (rc != 0) {
        // A name that the DNS cannot express does not exist in it.
        q->held = false;
        settle(q, (struct dns_answer){.result = rc == UB_SYNTAX ? DNS_NO_NAME
                                                                : DNS_TROUBLE});
    }
    set_timer(d);
    return q;
}

void
dns_cancel(struct dns_query *q)
{
    struct dns *d;

    if (q == NULL || q->fn == NULL)
        return;
    d = q->dns;
    queue_remove(q->settled ? &d->answered : &d->asked, q);
    q->fn = NULL;
    let_go(q);
    set_timer(d);
}

/* ---- start and end ------------------------------------------------------- */

static bool
set_option(struct dns *d, const char *name, const char *value, struct err *e)
{
    int rc = ub_ctx_set_option(d->unbound, name, value);
    return rc == 0 ||
           err_set(e, "DNS resolver: %s %s: %s", name, value, ub_strerror(rc));
}

static bool
set_servers(struct dns *d, const struct str *servers, size_t n, struct err *e)
{
    struct arena a = {0};
    int rc = 0;
    size_t i = 0;

    while (rc == 0 && i < n)
        rc = ub_ctx_set_fwd(d->unbound, arena_cstr(&a, servers[i++]));
    if (rc != 0)
        (void)err_set(e, "dns.servers: expected ADDRESS[@PORT], found \"%.*s\"",
                      STR_ARG(servers[i - 1]));
    arena_fini(&a);
    if (rc == 0 && n == 0) {
        rc = ub_ctx_resolvconf(d->unbound, NULL);
        if (rc != 0)
            (void)err_set(e, "/etc/resolv.conf: %s", ub_strerror(rc));
    }
    return rc == 0;
}

static bool
set_up(struct dns *d, const struct str *servers, size_t n, struct err *e)
{
    // Libraries do not write to our stderr.
    (void)ub_ctx_debugout(d->unbound, NULL);
    if (!set_option(d, "do-not-query-localhost:", "no", e) ||
        !set_option(d, "module-config:", "iterator", e) ||
        !set_option(d, "outgoing-range:", "256", e) ||
        !set_option(d, "num-queries-per-thread:", "1024", e))
        return false;
    // The admin's own resolver knows best about private names.
    (void)ub_ctx_set_option(d->unbound, "unblock-lan-zones:", "yes");
    if (!set_servers(d, servers, n, e))
        return false;
    // These seal the configuration, so they come last.
    (void)ub_ctx_zone_add(d->unbound, "test.", "transparent");
    (void)ub_ctx_zone_add(d->unbound, "home.arpa.", "transparent");
    return true;
}

struct dns *
dns_new(struct loop *l, const struct str *servers, size_t n, int64_t timeout_ms,
        struct err *e)
{
    static struct ub_event_base_vmt vmt = {
        .free = base_free,
        .dispatch = base_no_dispatch,
        .loopexit = base_no_loopexit,
        .new_event = base_new_event,
        .new_signal = base_no_signal,
        .winsock_register_wsaevent = base_no_wsaevent,
    };
    struct dns *d = alloc_zero(sizeof *d);

    d->base.magic = UB_EVENT_MAGIC;
    d->base.vmt = &vmt;
    d->loop = l;
    d->timeout_ms = timeout_ms;
    d->timer = timer_new(l, on_timer, d);
    d->unbound = ub_ctx_create_ub_event(&d->base);
    if (d->unbound == NULL)
        (void)err_set(e, "DNS resolver: %s", strerror(errno));
    else if (set_up(d, servers, n, e))
        return d;
    dns_free(d);
    return NULL;
}

void
dns_free(struct dns *d)
{
    if (d == NULL)
        return;
    ub_ctx_delete(d->unbound);
    queue_free(&d->asked);
    queue_free(&d->answered);
    queue_free(&d->abandoned);
    timer_free(d->timer);
    free(d);
}
