/* SPDX-License-Identifier: ISC */
#include "queue/notices.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ipc/notice.h"
#include "os/channel.h"
#include "os/log.h"
#include "os/memfd.h"
#include "queue/route.h"

/* Octets of frames that wait for notify before it gets no more, and notices
 * in one turn of the loop: each reads its message. */
enum { BACKLOG_MAX = 64 << 10, TURN_MAX = 32, ALIASES_MAX = 64 };

/*
 * What a notify that went had not written is owed again. The store does not
 * know which notify had what, so the hand-over rests for this long: what the
 * dead one stored is found by then, and what a living one has is written.
 */
enum { REST_MS = 3000 };

/* A notify process; after a reload the old one finishes beside the new. */
struct office {
    struct office *next;
    struct notices *all;
    struct channel *channel;
};

struct notices {
    struct loop *loop;
    struct spool_store *store;
    const struct book *book;
    struct office *offices; /* newest first: it gets what is owed */
    struct timer *timer;
    bool again;
    int64_t rest_until; /* mono_ms; with `again` */
};

static void
on_timer(void *ctx)
{
    (void)ctx; // notices_pump() follows at the end of the turn
}

struct notices *
notices_new(struct loop *l, const struct book *book)
{
    struct notices *n = alloc_zero(sizeof *n);
    n->loop = l;
    n->book = book;
    n->timer = timer_new(l, on_timer, n);
    return n;
}

void
notices_use(struct notices *n, struct spool_store *store)
{
    n->store = store;
}

static void
rest(struct notices *n)
{
    n->again = true;
    n->rest_until = loop_now(n->loop).mono_ms + REST_MS;
    timer_set(n->timer, n->rest_until);
}

static void
on_end(void *ctx)
{
    struct office *o = ctx;
    struct office **at = &o->all->offices;

    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    rest(o->all);
    channel_free(o->channel);
    free(o);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct office *o = ctx;
    struct arena a = {0};
    struct notice_msg m;

    if (notice_decode(&a, frame, &m) && m.type == NOTICE_MSG_DECLINED &&
        fd < 0) {
        log_event(LOG_INFO, "declined", LOG_S("notice", m.key),
                  LOG_S("why", m.why), LOG_END);
        spool_notice_declined(o->all->store, m.key);
    } else {
        log_error("notify sent what the queue does not understand");
        if (fd >= 0)
            (void)close(fd);
        on_end(o);
    }
    arena_fini(&a);
}

void
notices_attach(struct notices *n, int fd)
{
    struct office *o = alloc_zero(sizeof *o);

    o->all = n;
    o->channel = channel_new(n->loop, fd, on_frame, on_end, o);
    o->next = n->offices;
    n->offices = o;
}

struct str
notices_excerpt(struct str content, enum dsn_ret ret, bool *headers_only)
{
    ssize_t end = str_find(content, STR("\r\n\r\n"));

    *headers_only = ret == DSN_RET_HDRS || content.n > NOTICE_FULL_MAX;
    if (!*headers_only)
        return content;
    if (str_starts(content, STR("\r\n"))) // no header section at all
        return str_first(content, 2);
    return str_first(content, end < 0 ? NOTICE_FULL_MAX : (size_t)end + 2);
}

static const struct spool_rcpt *
find_rcpt(const struct spool_view *v, uint32_t index)
{
    return index < v->n_rcpts ? &v->rcpts[index] : NULL;
}

/* The recipient as the sender wrote it, through all the aliases. */
static const struct spool_rcpt *
root_of(const struct spool_view *v, const struct spool_rcpt *r)
{
    for (unsigned i = 0; i < ALIASES_MAX && r->parent != r->index; i++) {
        const struct spool_rcpt *up = find_rcpt(v, r->parent);
        if (up == NULL)
            break;
        r = up;
    }
    return r;
}

static void
fill_rcpt(struct notices *n, struct arena *a, const struct spool_view *v,
          const struct spool_rcpt *r, unsigned kind, struct notice_rcpt *out)
{
    const struct spool_rcpt *root = root_of(v, r);

    *out = (struct notice_rcpt){.address = root->address,
                                .orcpt = root->orcpt,
                                .verdict = r->last,
                                .attempts = r->attempts,
                                .last_attempt_ms = loop_now(n->loop).wall_ms};
    if (root != r)
        out->final = r->address;
    if (kind == NOTICE_AUTOREPLY) {
        struct route route;
        route_find(n->book, STR_EMPTY, a, r->address, &route);
        out->final = route.account;
    }
}

static bool
fill(struct notices *n, struct arena *a, const struct spool_notice *owed,
     const struct spool_view *v, struct notice_msg *m)
{
    *m = (struct notice_msg){.type = NOTICE_MSG_OWED,
                             .key = owed->key,
                             .kind = owed->kind,
                             .original = owed->original,
                             .envelope = v->envelope};
    m->rcpts = arena_array(a, owed->n_rcpts, sizeof *m->rcpts);
    for (size_t i = 0; i < owed->n_rcpts; i++) {
        const struct spool_rcpt *r = find_rcpt(v, owed->rcpts[i]);
        if (r != NULL)
            fill_rcpt(n, a, v, r, owed->kind, &m->rcpts[m->n_rcpts++]);
    }
    return m->n_rcpts > 0;
}

/* What cannot be read cannot be returned: the sender learns of the failure
 * from what is known without it. */
static void
read_original(struct notices *n, const struct spool_locator *at,
              struct buf *content)
{
    struct err e;

    if (spool_read(n->store, at, content, &e))
        return;
    log_error(e.text);
    buf_clear(content);
}

static void
hand_over(struct notices *n, const struct notice_msg *m,
          const struct spool_view *v)
{
    struct notice_msg copy = *m;
    struct buf content = {0}, frame = {0};
    struct err e;
    struct str octets;
    int fd;

    read_original(n, &v->at, &content);
    octets =
        notices_excerpt(buf_str(&content), v->envelope.ret, &copy.headers_only);
    fd = memfd_sealed("original", octets, &e);
    if (fd < 0) {
        log_error(e.text);
        rest(n); // it is owed still, and descriptors may come free
    } else {
        notice_encode(&frame, &copy);
        channel_send_fd(n->offices->channel, buf_str(&frame), fd);
        (void)close(fd);
    }
    buf_fini(&frame);
    buf_fini(&content);
}

static bool
next(struct notices *n)
{
    struct arena a = {0};
    struct spool_notice owed;
    struct spool_view v;
    struct notice_msg m;
    bool any = spool_next_notice(n->store, &a, &owed);
    bool known = any && spool_show(n->store, owed.original, &a, &v);

    if (known && v.unreadable) // owed until it is known again to whom
        log_event(LOG_ERROR, "notice-kept", LOG_S("notice", owed.key),
                  LOG_S("why", STR("its original cannot be read")), LOG_END);
    else if (known && fill(n, &a, &owed, &v, &m))
        hand_over(n, &m, &v);
    else if (any)
        spool_notice_declined(n->store, owed.key);
    arena_fini(&a);
    return any;
}

void
notices_pump(struct notices *n)
{
    if (n->again && loop_now(n->loop).mono_ms >= n->rest_until) {
        n->again = false;
        spool_notices_again(n->store);
    }
    if (n->offices == NULL || n->again)
        return;
    for (unsigned i = 0; i < TURN_MAX; i++)
        if (channel_backlog(n->offices->channel) >= BACKLOG_MAX || !next(n))
            return;
    loop_again(n->loop);
}
