/* SPDX-License-Identifier: ISC */
#include "directory/readers.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ipc/bookpipe.h"
#include "os/channel.h"
#include "os/log.h"

struct reader {
    struct reader *next;
    struct readers *all;
    struct channel *channel; /* NULL: gone, freed when the turn ends */
    uint64_t acknowledged;
};

struct readers {
    struct loop *loop;
    struct reader *list;
    struct readers_wait *waits;
    bool published;
};

static bool
in_force(const struct readers *rs, uint64_t version)
{
    if (!rs->published)
        return false;
    for (const struct reader *r = rs->list; r != NULL; r = r->next)
        if (r->channel != NULL && r->acknowledged < version)
            return false;
    return true;
}

/* Tells those whose version is in force; a callback may wait anew. */
static void
answer_waits(struct readers *rs)
{
    struct readers_wait **at = &rs->waits;

    while (*at != NULL) {
        struct readers_wait *w = *at;
        if (!in_force(rs, w->version)) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        w->fn(w->ctx);
        at = &rs->waits;
    }
}

static void
reap(void *ctx)
{
    struct readers *rs = ctx;
    struct reader **at = &rs->list;

    while (*at != NULL) {
        struct reader *r = *at;
        if (r->channel != NULL) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        free(r);
    }
}

struct readers *
readers_new(struct loop *l)
{
    struct readers *rs = alloc_zero(sizeof *rs);
    rs->loop = l;
    loop_at_turn_end(l, reap, rs);
    return rs;
}

static void
end_reader(struct reader *r)
{
    channel_free(r->channel);
    r->channel = NULL;
    answer_waits(r->all);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct reader *r = ctx;
    struct book_msg m;

    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 || !book_msg_decode(frame, &m) || m.type != BOOK_ACK) {
        log_error("a reader of the book sent something else than its version");
        end_reader(r);
        return;
    }
    r->acknowledged = m.version;
    answer_waits(r->all);
}

static void
on_end(void *ctx)
{
    end_reader(ctx);
}

struct reader *
readers_attach(struct readers *rs, int fd)
{
    struct reader *r = alloc_zero(sizeof *r);

    r->all = rs;
    r->channel = channel_new(rs->loop, fd, on_frame, on_end, r);
    r->next = rs->list;
    rs->list = r;
    return r;
}

void
reader_send(struct reader *r, struct str frame, int fd)
{
    if (r->channel == NULL)
        return;
    if (fd < 0)
        channel_send(r->channel, frame);
    else
        channel_send_fd(r->channel, frame, fd);
}

void
readers_send(struct readers *rs, struct str frame, int fd)
{
    for (struct reader *r = rs->list; r != NULL; r = r->next)
        reader_send(r, frame, fd);
}

void
readers_wait(struct readers *rs, struct readers_wait *w)
{
    w->next = rs->waits;
    rs->waits = w;
    answer_waits(rs);
}

void
readers_cancel(struct readers *rs, struct readers_wait *w)
{
    for (struct readers_wait **at = &rs->waits; *at != NULL;
         at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            return;
        }
    }
}

void
readers_published(struct readers *rs)
{
    rs->published = true;
    answer_waits(rs);
}

void
readers_free(struct readers *rs)
{
    if (rs == NULL)
        return;
    for (struct reader *r = rs->list; r != NULL; r = r->next) {
        channel_free(r->channel);
        r->channel = NULL;
    }
    reap(rs);
    free(rs);
}
