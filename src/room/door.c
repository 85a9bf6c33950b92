/* SPDX-License-Identifier: ISC */
#include "room/door.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ipc/door.h"
#include "os/disk.h"
#include "os/log.h"
#include "spool/log.h"

/* How long we outlive a queue that does not come back: what went wrong may be
 * on our side, and master makes us new. */
enum { ORPHAN_MS = 60 * 1000 };

struct door {
    struct room *room;
    struct timer *orphan;
    struct spool_door *spool;
    struct channel *queue; /* NULL: away */
    loop_fn on_better;
    void *ctx;
    enum door_pressure pressure;
    bool opened; /* a segment came, or word that there is none */
};

static void
say(struct door *d, const struct door_msg *m)
{
    struct buf frame = {0};

    if (d->queue == NULL)
        return; // what it must know, HOLDING tells the next one
    door_encode(&frame, m);
    channel_send(d->queue, buf_str(&frame));
    buf_fini(&frame);
}

static void
on_watermark(void *ctx, uint64_t segment, uint64_t generation, uint64_t offset)
{
    say(ctx, &(struct door_msg){.type = DOOR_WATERMARK,
                                .segment = segment,
                                .generation = generation,
                                .offset = offset});
}

static void
on_sealed(void *ctx, uint64_t segment, uint64_t generation, uint64_t offset)
{
    say(ctx, &(struct door_msg){.type = DOOR_SEALED,
                                .segment = segment,
                                .generation = generation,
                                .offset = offset});
}

static void
on_large_free(void *ctx, uint64_t large)
{
    say(ctx, &(struct door_msg){.type = DOOR_LARGE_FREE, .large = large});
}

static void
better(void *ctx)
{
    struct door *d = ctx;
    if (d->on_better != NULL)
        d->on_better(d->ctx);
}

static void
on_turn_end(void *ctx)
{
    struct door *d = ctx;
    spool_turn(d->spool);
}

static void
on_orphan(void *ctx)
{
    struct door *d = ctx;
    room_fail(d->room, "the queue is gone and does not come back");
}

struct door *
door_new(struct room *r, size_t body_memory, loop_fn on_better, void *ctx)
{
    struct door *d = alloc_zero(sizeof *d);
    const struct spool_log_door_setup setup = {
        .disk = os_disk(),
        .executor = loop_executor(r->loop),
        .body_memory = body_memory,
        .ctx = d,
        .on_watermark = on_watermark,
        .on_sealed = on_sealed,
        .on_large_free = on_large_free,
        .on_ready = better,
    };

    d->room = r;
    d->on_better = on_better;
    d->ctx = ctx;
    d->spool = spool_log_door_new(&setup);
    d->orphan = timer_new(r->loop, on_orphan, d);
    loop_at_turn_end(r->loop, on_turn_end, d);
    return d;
}

void
door_free(struct door *d)
{
    if (d == NULL)
        return;
    spool_door_free(d->spool);
    free(d);
}

static bool
take_segment(struct door *d, const struct door_msg *m, int fd)
{
    if (fd < 0)
        return false;
    spool_log_door_segment(d->spool, m->segment, m->generation, m->size, fd);
    d->opened = true;
    better(d);
    return true;
}

static bool
take_large(struct door *d, const struct door_msg *m, int fd)
{
    if (fd < 0)
        return false;
    spool_log_door_large(d->spool, m->large, fd);
    better(d);
    return true;
}

static void
take_pressure(struct door *d, enum door_pressure pressure)
{
    bool was_full = d->pressure == PRESSURE_FULL;
    bool is_full = pressure == PRESSURE_FULL;
    bool first = is_full && !d->opened;
    d->pressure = pressure;
    d->opened |= is_full;
    spool_log_door_full(d->spool, is_full);
    if (first || (was_full && !is_full))
        better(d);
}

/* false: not what a queue may say. Takes the descriptor only with SEGMENT and
 * LARGE. */
static bool
take_frame(struct door *d, const struct door_msg *m, int fd)
{
    if (m->type == DOOR_SEGMENT)
        return take_segment(d, m, fd);
    if (m->type == DOOR_LARGE)
        return take_large(d, m, fd);
    if (fd >= 0)
        return false;
    if (m->type == DOOR_WRITER && m->writer != 0)
        spool_log_door_writer(d->spool, m->writer);
    else if (m->type == DOOR_PRESSURE)
        take_pressure(d, m->pressure);
    else
        return false;
    return true;
}

static void
detach(struct door *d)
{
    channel_free(d->queue);
    d->queue = NULL;
    timer_set(d->orphan, loop_now(d->room->loop).mono_ms + ORPHAN_MS);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct door *d = ctx;
    struct door_msg m;

    if (door_decode(frame, &m) && take_frame(d, &m, fd))
        return;
    log_error("the queue sent something at the door that is not its to send");
    if (fd >= 0)
        (void)close(fd);
    detach(d);
}

static void
on_end(void *ctx)
{
    detach(ctx);
}

static void
count_holding(void *ctx, uint64_t segment, uint64_t generation, uint64_t offset,
              uint64_t large)
{
    uint64_t *n = ctx;
    (void)segment;
    (void)generation;
    (void)offset;
    (void)large;
    (*n)++;
}

static void
say_holding(void *ctx, uint64_t segment, uint64_t generation, uint64_t offset,
            uint64_t large)
{
    say(ctx, &(struct door_msg){.type = DOOR_HOLDING,
                                .segment = segment,
                                .generation = generation,
                                .offset = offset,
                                .large = large});
}

void
door_attach(struct door *d, int fd)
{
    uint64_t n = 0;

    detach(d);
    timer_clear(d->orphan);
    d->queue = channel_new(d->room->loop, fd, on_frame, on_end, d);
    take_pressure(d, PRESSURE_NONE);
    spool_log_door_holding(d->spool, count_holding, &n);
    say(d, &(struct door_msg){.type = DOOR_HELLO,
                              .writer = spool_log_door_number(d->spool),
                              .size = n});
    spool_log_door_holding(d->spool, say_holding, d);
}

struct spool_door *
door_spool(struct door *d)
{
    return d->spool;
}

bool
door_opened(const struct door *d)
{
    return d->opened;
}

bool
door_slow(const struct door *d)
{
    return d->pressure != PRESSURE_NONE;
}

bool
door_idle(const struct door *d)
{
    return spool_log_door_idle(d->spool) &&
           (d->queue == NULL || channel_backlog(d->queue) == 0);
}
