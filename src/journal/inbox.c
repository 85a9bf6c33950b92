/* SPDX-License-Identifier: ISC */
#include "journal/inbox.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/channel.h"
#include "os/log.h"

enum { COMMIT_MS = 100, COMMIT_EVENTS = 8192, AGAIN_MS = 1000 };

/* One room's pipe; gone when it has ended. */
struct teller {
    struct teller *next;
    struct inbox *all;
    struct chronicle_source is;
    struct channel *channel;
    uint64_t told; /* it knows that all below are written */
};

struct inbox {
    struct loop *loop;
    struct chronicle *chronicle;
    struct teller *tellers;
    struct timer *timer;
    bool armed;
    loop_fn on_empty;
    void *ctx;
};

static struct instant
now(const struct inbox *b)
{
    return loop_now(b->loop);
}

static void
arm(struct inbox *b, int64_t delay_ms)
{
    if (b->armed)
        return;
    b->armed = true;
    timer_set(b->timer, now(b).mono_ms + delay_ms);
}

static void
confirm(struct teller *t)
{
    uint64_t next = chronicle_confirmed(t->all->chronicle, t->is.incarnation);
    struct buf frame = {0};

    if (next <= t->told)
        return;
    t->told = next;
    journal_encode_taken(&frame, next);
    channel_send(t->channel, buf_str(&frame));
    buf_fini(&frame);
}

static void
commit(struct inbox *b)
{
    chronicle_commit(b->chronicle, now(b));
    for (struct teller *t = b->tellers; t != NULL; t = t->next)
        confirm(t);
    if (chronicle_owes(b->chronicle))
        arm(b, AGAIN_MS);
}

static void
on_timer(void *ctx)
{
    struct inbox *b = ctx;
    b->armed = false;
    commit(b);
}

static void
end_teller(struct teller *t)
{
    struct inbox *b = t->all;
    struct teller **p = &b->tellers;

    while (*p != t)
        p = &(*p)->next;
    *p = t->next;
    channel_free(t->channel);
    free(t);
    if (b->tellers == NULL)
        b->on_empty(b->ctx);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct teller *t = ctx;
    struct inbox *b = t->all;
    struct arena a = {0};
    struct journal_msg m;
    bool good =
        journal_decode(&a, frame, &m) && fd < 0 && m.type == JOURNAL_MSG_EVENTS;

    if (fd >= 0)
        (void)close(fd);
    if (good) {
        chronicle_take(b->chronicle, &t->is, &m, now(b));
        if (chronicle_pending(b->chronicle) >= COMMIT_EVENTS)
            commit(b);
        else
            arm(b, COMMIT_MS);
    } else {
        log_event(LOG_ERROR, "not-understood", LOG_S("from", t->is.room),
                  LOG_N("slot", t->is.slot), LOG_END);
        end_teller(t);
    }
    arena_fini(&a);
}

static void
on_end(void *ctx)
{
    end_teller(ctx);
}

struct inbox *
inbox_new(struct loop *l, struct chronicle *c, loop_fn on_empty, void *ctx)
{
    struct inbox *b = alloc_zero(sizeof *b);

    b->loop = l;
    b->chronicle = c;
    b->timer = timer_new(l, on_timer, b);
    b->on_empty = on_empty;
    b->ctx = ctx;
    return b;
}

void
inbox_add(struct inbox *b, enum role role, uint32_t slot, uint64_t incarnation,
          int fd)
{
    struct teller *t = alloc_zero(sizeof *t);

    t->all = b;
    t->is = (struct chronicle_source){.incarnation = incarnation,
                                      .room = str_from(role_name(role)),
                                      .slot = slot};
    t->channel = channel_new(b->loop, fd, on_frame, on_end, t);
    t->next = b->tellers;
    b->tellers = t;
}

/* Its pipe may still hold frames: who it was stays known until that ends. */
void
inbox_reaped(struct inbox *b, uint64_t incarnation)
{
    for (const struct teller *t = b->tellers; t != NULL; t = t->next)
        if (t->is.incarnation == incarnation)
            return;
    commit(b);
    chronicle_forget(b->chronicle, incarnation);
}

bool
inbox_is_empty(const struct inbox *b)
{
    return b->tellers == NULL;
}
