/* SPDX-License-Identifier: ISC */
#include "room/diary.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/channel.h"
#include "os/log.h"

enum { BATCH_EVENTS = 1024, BATCH_OCTETS = 64 << 10, ID_MAX = 32 };

/* A frame that the journal has not confirmed. */
struct batch {
    struct batch *next;
    uint64_t end; /* number of the first event behind it */
    struct buf frame;
};

struct diary {
    struct loop *loop;
    struct channel *journal; /* NULL: away */
    struct batch *oldest, **end;
    size_t held;     /* octets of all batches */
    struct buf open; /* the frame of this turn; empty: none begun */
    uint32_t n_open;
    uint64_t next; /* number of the next event */
    struct {       /* of an incident in this turn */
        char incident[ID_MAX];
        size_t n;
        uint32_t count;
    } again;
    struct { /* not told yet */
        uint32_t count;
        int64_t from_ms, until_ms;
    } gap;
    uint64_t dropped;
};

static int64_t
now_ms(const struct diary *d)
{
    return loop_now(d->loop).wall_ms;
}

static bool
is_full(const struct diary *d)
{
    return d->held + d->open.n > DIARY_HELD;
}

static void
close_batch(struct diary *d)
{
    if (d->n_open == 0)
        return;
    struct batch *b = alloc_zero(sizeof *b);
    journal_end(&d->open, d->n_open);
    b->frame = d->open;
    b->end = d->next;
    d->open = (struct buf){0};
    d->n_open = 0;
    d->held += b->frame.n;
    *d->end = b;
    d->end = &b->next;
    if (d->journal != NULL)
        channel_send(d->journal, buf_str(&b->frame));
}

static void
add(struct diary *d, const struct journal_event *e)
{
    if (d->n_open == 0)
        journal_begin(&d->open, d->next);
    journal_add(&d->open, e);
    d->n_open++;
    d->next++;
    if (d->n_open >= BATCH_EVENTS || d->open.n >= BATCH_OCTETS)
        close_batch(d);
}

static void
drop(struct diary *d, uint32_t n)
{
    int64_t now = now_ms(d);
    if (d->gap.count == 0)
        d->gap.from_ms = now;
    d->gap.until_ms = now;
    d->gap.count =
        n > UINT32_MAX - d->gap.count ? UINT32_MAX : d->gap.count + n;
    d->dropped += n;
}

static void
tell_gap(struct diary *d)
{
    if (d->gap.count == 0 || is_full(d))
        return;
    add(d, &(struct journal_event){.kind = JOURNAL_DROPPED,
                                   .at_ms = d->gap.from_ms,
                                   .until_ms = d->gap.until_ms,
                                   .count = d->gap.count,
                                   .detail = STR("the journal was behind")});
    d->gap.count = 0;
}

static void
tell_repeats(struct diary *d)
{
    uint32_t n = d->again.count;
    d->again.count = 0;
    if (n == 0)
        return;
    if (is_full(d)) {
        drop(d, n);
        return;
    }
    add(d, &(struct journal_event){
               .kind = JOURNAL_REPEATED,
               .at_ms = now_ms(d),
               .count = n,
               .incident = str_from_n(d->again.incident, d->again.n)});
}

static void
at_flush(void *ctx)
{
    struct diary *d = ctx;
    tell_repeats(d);
    tell_gap(d);
    close_batch(d);
}

struct diary *
diary_new(struct loop *l)
{
    struct diary *d = alloc_zero(sizeof *d);
    d->loop = l;
    d->next = 1;
    d->end = &d->oldest;
    loop_at_flush(l, at_flush, d);
    return d;
}

static void
forget_oldest(struct diary *d)
{
    struct batch *b = d->oldest;
    d->oldest = b->next;
    if (d->oldest == NULL)
        d->end = &d->oldest;
    d->held -= b->frame.n;
    buf_fini(&b->frame);
    free(b);
}

static void
detach(struct diary *d)
{
    channel_free(d->journal);
    d->journal = NULL;
}

void
diary_free(struct diary *d)
{
    if (d == NULL)
        return;
    detach(d);
    while (d->oldest != NULL)
        forget_oldest(d);
    buf_fini(&d->open);
    free(d);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct diary *d = ctx;
    struct arena a = {0};
    struct journal_msg m;
    bool good = journal_decode(&a, frame, &m) && fd < 0 &&
                m.type == JOURNAL_MSG_TAKEN && m.seq <= d->next;
    if (fd >= 0)
        (void)close(fd);
    if (good) {
        while (d->oldest != NULL && d->oldest->end <= m.seq)
            forget_oldest(d);
    } else {
        log_error("the journal sent something else than how far it is");
        detach(d);
    }
    arena_fini(&a);
}

static void
on_end(void *ctx)
{
    detach(ctx);
}

/* The new one may have been told some of it by an earlier pipe; it knows by
 * their numbers. */
void
diary_attach(struct diary *d, int fd)
{
    detach(d);
    d->journal = channel_new(d->loop, fd, on_frame, on_end, d);
    for (const struct batch *b = d->oldest; b != NULL; b = b->next)
        channel_send(d->journal, buf_str(&b->frame));
}

void
diary_note(struct diary *d, const struct journal_event *e)
{
    if (d == NULL)
        return;
    struct journal_event own = *e;
    if (own.at_ms == 0)
        own.at_ms = now_ms(d);
    if (own.count == 0)
        own.count = 1;
    tell_repeats(d);
    tell_gap(d);
    if (is_full(d))
        drop(d, own.count);
    else
        add(d, &own);
}

/* Those of one turn are told once. */
void
diary_repeat(struct diary *d, struct str incident)
{
    if (d == NULL || incident.n > ID_MAX)
        return;
    if (d->again.count > 0 && d->again.n == incident.n &&
        memcmp(d->again.incident, incident.p, incident.n) == 0 &&
        d->again.count < UINT32_MAX) {
        d->again.count++;
        return;
    }
    tell_repeats(d);
    memcpy(d->again.incident, incident.p, incident.n);
    d->again.n = incident.n;
    d->again.count = 1;
}

uint64_t
diary_dropped(const struct diary *d)
{
    return d->dropped;
}
