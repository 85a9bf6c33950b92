/* SPDX-License-Identifier: ISC */
#include "spoolrig.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT = 256 << 10, STEPS = 5000 };

/* ---- words from a door to the store -------------------------------------- */

static void
on_watermark(void *ctx, uint64_t segment, uint64_t generation, uint64_t offset)
{
    struct rig_door *d = ctx;
    if (d->rig->store != NULL)
        (void)spool_log_store_watermark(d->rig->store, d->writer, segment,
                                        generation, offset);
}

static void
on_sealed(void *ctx, uint64_t segment, uint64_t generation, uint64_t offset)
{
    struct rig_door *d = ctx;
    if (d->rig->store != NULL)
        (void)spool_log_store_sealed(d->rig->store, d->writer, segment,
                                     generation, offset);
}

static void
on_large_free(void *ctx, uint64_t large)
{
    struct rig_door *d = ctx;
    d->large_freed++;
    if (d->rig->store != NULL)
        (void)spool_log_store_large_free(d->rig->store, d->writer, large);
}

static void
on_ready(void *ctx)
{
    ((struct rig_door *)ctx)->ready++;
}

/* ---- words from the store to a door -------------------------------------- */

static struct rig_door *
door_of(struct rig *r, uint64_t writer)
{
    for (int i = 0; i < RIG_DOORS; i++)
        if (r->doors[i].door != NULL && r->doors[i].writer == writer)
            return &r->doors[i];
    return NULL;
}

static void
on_segment(void *ctx, uint64_t writer, uint64_t segment, uint64_t generation,
           uint64_t size, int fd)
{
    struct rig *r = ctx;
    struct rig_door *d = door_of(r, writer);
    if (d != NULL)
        spool_log_door_segment(d->door, segment, generation, size,
                               simdisk_dup(r->disk, fd));
}

static void
on_large(void *ctx, uint64_t writer, uint64_t large, int fd)
{
    struct rig *r = ctx;
    struct rig_door *d = door_of(r, writer);
    if (d != NULL)
        spool_log_door_large(d->door, large, simdisk_dup(r->disk, fd));
}

static void
on_pressure(void *ctx, enum spool_pressure level)
{
    struct rig *r = ctx;
    r->pressure = level;
    for (int i = 0; i < RIG_DOORS; i++)
        if (r->doors[i].door != NULL)
            spool_log_door_full(r->doors[i].door, level == SPOOL_PRESSURE_FULL);
}

static void
on_forget(void *ctx, uint64_t segment)
{
    struct rig *r = ctx;
    r->forget++;
    if (r->forget_at_once)
        spool_log_store_ungrant(r->store, segment);
}

static void
on_corrupt(void *ctx, const char *file, uint64_t offset, const char *what)
{
    struct rig *r = ctx;
    (void)snprintf(r->last_trouble, sizeof r->last_trouble, "%s at %llu: %s",
                   file, (unsigned long long)offset, what);
    r->corrupt++;
    r->corrupt_at = offset;
    (void)snprintf(r->corrupt_file, sizeof r->corrupt_file, "%s", file);
}

static void
on_trouble(void *ctx, const struct err *e)
{
    struct rig *r = ctx;
    r->trouble++;
    (void)snprintf(r->last_trouble, sizeof r->last_trouble, "%.180s", e->text);
}

/* ---- processes ----------------------------------------------------------- */

bool
rig_store_start(struct rig *r)
{
    struct err e;
    r->view = simview_new(r->disk);
    r->dir = simdisk_root(r->disk);
    struct spool_log_setup setup = {.disk = simview_disk(r->view),
                                    .dir = r->dir,
                                    .executor = simpool_executor(&r->pool),
                                    .segment_size = SEGMENT,
                                    .reserve = r->reserve,
                                    .min_free = r->min_free,
                                    .ctx = r,
                                    .on_segment = on_segment,
                                    .on_large = on_large,
                                    .on_pressure = on_pressure,
                                    .on_forget = on_forget,
                                    .on_corrupt = on_corrupt,
                                    .on_trouble = on_trouble};
    r->store = spool_log_store_open(&setup, &e);
    if (r->store != NULL)
        return true;
    (void)simview_disk(r->view)->close(simview_disk(r->view)->self, r->dir);
    free(r->view);
    r->view = NULL;
    return false;
}

static void
on_holding(void *ctx, uint64_t segment, uint64_t generation, uint64_t offset,
           uint64_t large)
{
    struct rig_door *d = ctx;
    (void)spool_log_store_holding(d->rig->store, d->writer, segment, generation,
                                  offset, large);
}

static void
attach(struct rig_door *d)
{
    struct spool_store *s = d->rig->store;
    d->writer =
        spool_log_store_attach(s, spool_log_door_number(d->door), d->notices);
    spool_log_door_writer(d->door, d->writer);
    spool_log_door_holding(d->door, on_holding, d);
    spool_log_store_supply(s, d->writer);
}

void
rig_door_start(struct rig *r, int i)
{
    struct rig_door *d = &r->doors[i];
    d->rig = r;
    d->notices = i == RIG_DOORS - 1;
    d->view = simview_new(r->disk);
    struct spool_log_door_setup setup = {.disk = simview_disk(d->view),
                                         .executor = simpool_executor(&d->pool),
                                         .body_memory = r->body_memory,
                                         .ctx = d,
                                         .on_watermark = on_watermark,
                                         .on_sealed = on_sealed,
                                         .on_large_free = on_large_free,
                                         .on_ready = on_ready};
    d->door = spool_log_door_new(&setup);
    if (r->store != NULL)
        attach(d);
}

bool
rig_step(struct rig *r)
{
    bool any = false;
    for (int i = 0; i < RIG_DOORS; i++)
        if (r->doors[i].door != NULL) {
            spool_turn(r->doors[i].door);
            any |= simpool_step(&r->doors[i].pool, &r->seed);
        }
    r->now.mono_ms++;
    if (r->store != NULL) {
        spool_store_turn(r->store, r->now);
        any |= simpool_step(&r->pool, &r->seed);
    }
    return any;
}

static bool
is_idle(const struct rig *r)
{
    for (int i = 0; i < RIG_DOORS; i++)
        if (r->doors[i].pool.n > 0)
            return false;
    return r->pool.n == 0 &&
           (r->store == NULL || spool_log_store_idle(r->store));
}

void
rig_settle(struct rig *r)
{
    int quiet = 0;
    for (int i = 0; i < STEPS && quiet < 12; i++)
        quiet = rig_step(r) || !is_idle(r) ? 0 : quiet + 1;
}

static void
drain(struct simpool *p)
{
    while (simpool_step(p, NULL))
        continue;
    simpool_fini(p);
}

void
rig_door_kill(struct rig *r, int i)
{
    struct rig_door *d = &r->doors[i];
    struct spool_store *s = r->store;
    if (d->door == NULL)
        return;
    simview_kill(d->view);
    r->store = NULL; // the dead say nothing
    drain(&d->pool);
    spool_door_free(d->door);
    r->store = s;
    d->door = NULL;
    free(d->view);
    if (s != NULL)
        spool_log_store_died(s, d->writer);
}

void
rig_store_kill(struct rig *r)
{
    if (r->store == NULL)
        return;
    struct spool_store *s = r->store;
    simview_kill(r->view);
    r->store = NULL;
    drain(&r->pool);
    spool_store_free(s);
    (void)simview_disk(r->view)->close(simview_disk(r->view)->self, r->dir);
    free(r->view);
    r->view = NULL;
}

bool
rig_store_restart(struct rig *r)
{
    rig_store_kill(r);
    if (!rig_store_start(r))
        return false;
    for (int i = 0; i < RIG_DOORS; i++)
        if (r->doors[i].door != NULL)
            attach(&r->doors[i]);
    spool_log_store_roll_call(r->store);
    r->restarted = true;
    return true;
}

void
rig_stop(struct rig *r)
{
    for (int i = 0; i < RIG_DOORS; i++)
        if (r->doors[i].door != NULL) {
            while (simpool_step(&r->doors[i].pool, NULL))
                continue;
            rig_door_kill(r, i);
        }
    if (r->store == NULL)
        return;
    while (simpool_step(&r->pool, NULL))
        continue;
    spool_store_free(r->store);
    r->store = NULL;
    simpool_fini(&r->pool);
    (void)simview_disk(r->view)->close(simview_disk(r->view)->self, r->dir);
    free(r->view);
    r->view = NULL;
}

void
rig_init(struct rig *r, struct simdisk *disk)
{
    uint64_t seed = r->seed;
    size_t memory = r->body_memory;
    uint64_t reserve = r->reserve, min_free = r->min_free;
    *r = (struct rig){
        .disk = disk,
        .seed = seed,
        .body_memory = memory > 0 ? memory : 8 << 20,
        .reserve = reserve,
        .min_free = min_free,
        .now = {.wall_ms = 1000000, .mono_ms = 1000}
    };
    bool ok = rig_store_start(r);
    assert(ok);
    (void)ok;
    for (int i = 0; i < RIG_DOORS; i++)
        rig_door_start(r, i);
    spool_log_store_roll_call(r->store);
    rig_settle(r);
}
