/* SPDX-License-Identifier: ISC */
#include "queue/writers.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ipc/door.h"
#include "os/channel.h"
#include "os/log.h"

struct writer {
    struct writer *next;
    struct writers *all;
    enum role role;
    uint32_t slot;
    uint64_t incarnation;
    struct channel *channel; /* NULL: it has ended */
    uint64_t number;         /* 0: HELLO has not come, or no number yet */
    uint64_t asked;          /* the number that HELLO named */
    uint64_t holding;        /* HOLDING frames still to come */
    bool hello, initial;
    bool supplied;
    bool reaped; /* waits for the end of its channel */
};

struct writers {
    struct loop *loop;
    struct spool_store *store;
    struct writer *first;
    loop_fn on_roll_call;
    void *ctx;
    bool gone_live; /* writers_go() was called */
    bool called;
    enum spool_pressure pressure;
};

struct writers *
writers_new(struct loop *l, loop_fn on_roll_call, void *ctx)
{
    struct writers *all = alloc_zero(sizeof *all);

    all->loop = l;
    all->on_roll_call = on_roll_call;
    all->ctx = ctx;
    return all;
}

void
writers_use(struct writers *all, struct spool_store *store)
{
    all->store = store;
}

static void
say(struct writer *w, const struct door_msg *m, int fd)
{
    struct buf frame = {0};

    if (w->channel == NULL)
        return;
    door_encode(&frame, m);
    if (fd >= 0)
        channel_send_fd(w->channel, buf_str(&frame), fd);
    else
        channel_send(w->channel, buf_str(&frame));
    buf_fini(&frame);
}

static enum door_pressure
door_level(enum spool_pressure level)
{
    switch (level) {
    case SPOOL_PRESSURE_SLOW:
        return PRESSURE_SLOW;
    case SPOOL_PRESSURE_FULL:
        return PRESSURE_FULL;
    case SPOOL_PRESSURE_NONE:
    default:
        return PRESSURE_NONE;
    }
}

static void
say_pressure(struct writer *w)
{
    say(w,
        &(struct door_msg){.type = DOOR_PRESSURE,
                           .pressure = door_level(w->all->pressure)},
        -1);
}

/* ---- the roll call ------------------------------------------------------- */

static void
check_roll(struct writers *all)
{
    if (all->called || !all->gone_live)
        return;
    for (const struct writer *w = all->first; w != NULL; w = w->next)
        if (w->initial && !w->supplied)
            return;
    all->called = true;
    spool_log_store_roll_call(all->store);
    all->on_roll_call(all->ctx);
}

void
writers_go(struct writers *all)
{
    all->gone_live = true;
    check_roll(all);
}

static void
supply(struct writer *w)
{
    spool_log_store_supply(w->all->store, w->number);
    w->supplied = true;
    check_roll(w->all);
}

/* ---- frames -------------------------------------------------------------- */

static void
give_number(struct writer *w)
{
    w->number =
        spool_log_store_attach(w->all->store, w->asked, w->role == ROLE_NOTIFY);
    if (w->number == 0)
        return; // none can be given now: writers_turn() tries again
    say(w, &(struct door_msg){.type = DOOR_WRITER, .writer = w->number}, -1);
    say_pressure(w);
    if (w->holding == 0)
        supply(w);
}

static bool
take_hello(struct writer *w, const struct door_msg *m)
{
    if (w->hello || (m->writer == 0 && m->size > 0))
        return false;
    w->hello = true;
    w->asked = m->writer;
    w->holding = m->size;
    give_number(w);
    return true;
}

static bool
take_holding(struct writer *w, const struct door_msg *m)
{
    if (w->holding == 0 ||
        !spool_log_store_holding(w->all->store, w->number, m->segment,
                                 m->generation, m->offset, m->large))
        return false;
    if (--w->holding == 0)
        supply(w);
    return true;
}

static bool
take(struct writer *w, const struct door_msg *m)
{
    struct spool_store *s = w->all->store;

    if (m->type == DOOR_HELLO)
        return take_hello(w, m);
    if (w->number == 0)
        return false;
    if (m->type == DOOR_HOLDING)
        return take_holding(w, m);
    if (m->type == DOOR_WATERMARK)
        return spool_log_store_watermark(s, w->number, m->segment,
                                         m->generation, m->offset);
    if (m->type == DOOR_SEALED)
        return spool_log_store_sealed(s, w->number, m->segment, m->generation,
                                      m->offset);
    if (m->type == DOOR_LARGE_FREE)
        return spool_log_store_large_free(s, w->number, m->large);
    return false;
}

/* Its tails are read once it is certain that it writes no more. */
static void
bury(struct writer *w)
{
    struct writers *all = w->all;
    struct writer **at = &all->first;

    if (w->number != 0)
        spool_log_store_died(all->store, w->number);
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    free(w);
    check_roll(all);
}

static void
on_end(void *ctx)
{
    struct writer *w = ctx;

    channel_free(w->channel);
    w->channel = NULL;
    if (w->reaped)
        bury(w);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct writer *w = ctx;
    struct door_msg m;
    bool ok = door_decode(frame, &m) && fd < 0 && take(w, &m);

    if (fd >= 0)
        (void)close(fd);
    if (ok)
        return;
    log_event(LOG_ERROR, "door-closed",
              LOG_S("role", str_from(role_name(w->role))),
              LOG_N("slot", w->slot), LOG_N("frame", m.type), LOG_END);
    on_end(w);
}

void
writers_add(struct writers *all, enum role role, uint32_t slot,
            uint64_t incarnation, int fd)
{
    struct writer *w = alloc_zero(sizeof *w);

    w->all = all;
    w->role = role;
    w->slot = slot;
    w->incarnation = incarnation;
    w->initial = !all->gone_live;
    w->next = all->first;
    all->first = w;
    w->channel = channel_new(all->loop, fd, on_frame, on_end, w);
}

void
writers_reaped(struct writers *all, enum role role, uint32_t slot,
               uint64_t incarnation)
{
    for (struct writer *w = all->first; w != NULL; w = w->next) {
        if (w->role != role || w->slot != slot || w->incarnation != incarnation)
            continue;
        w->reaped = true;
        if (w->channel == NULL) // what it said last has been read
            bury(w);
        return;
    }
}

void
writers_turn(struct writers *all)
{
    for (struct writer *w = all->first, *next; w != NULL; w = next) {
        next = w->next;
        if (w->hello && w->number == 0 && w->channel != NULL)
            give_number(w);
    }
}

/* ---- what the store has for them ----------------------------------------- */

static struct writer *
find(const struct writers *all, uint64_t number)
{
    struct writer *w = all->first;
    while (w != NULL && (w->number != number || w->channel == NULL))
        w = w->next;
    return w;
}

void
writers_segment(void *ctx, uint64_t writer, uint64_t segment,
                uint64_t generation, uint64_t size, int fd)
{
    struct writer *w = find(ctx, writer);
    if (w != NULL)
        say(w,
            &(struct door_msg){.type = DOOR_SEGMENT,
                               .segment = segment,
                               .generation = generation,
                               .size = size},
            fd);
}

void
writers_large(void *ctx, uint64_t writer, uint64_t large, int fd)
{
    struct writer *w = find(ctx, writer);
    if (w != NULL)
        say(w, &(struct door_msg){.type = DOOR_LARGE, .large = large}, fd);
}

void
writers_pressure(void *ctx, enum spool_pressure level)
{
    struct writers *all = ctx;

    all->pressure = level;
    for (struct writer *w = all->first; w != NULL; w = w->next)
        if (w->number != 0)
            say_pressure(w);
}
