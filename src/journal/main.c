/* SPDX-License-Identifier: ISC */
/*
 * Security profile of `gatepost: journal`
 *
 *   runs as   gatepost-log (run-as = "accounts"), else the caller
 *   holds     3 the pipe to master, 4 the config (read and closed); a pipe to
 *             each room that has something to tell; the files of
 *             <state>/journal
 *   peers     receive, directory, queue, notify: what they tell holds what
 *             strangers said; the codec checks every frame
 *   calls     files below <state>/journal, syncs of those, statfs, epoll
 *   cannot    use the network, see a password or the content of a message,
 *             change mail; nobody waits for it
 *   who owns it  reads and forges the history: who wrote to whom, from where,
 *             and what came of it
 *
 * It runs with less of the processor than the rooms on the way of a message:
 * when there is not enough, the history has gaps, and says so.
 */
#include "journal/journal.h"

#include <unistd.h>

#include "journal/inbox.h"
#include "os/disk.h"
#include "os/log.h"
#include "os/sandbox.h"
#include "room/room.h"

enum {
    TICK_MS = 60 * 1000,
    HURRY_MS = 1500, /* master's own limit is 2 s */
};

struct journal {
    struct room *room;
    struct chronicle *chronicle;
    struct inbox *inbox;
    struct timer *tick, *limit;
    bool draining;
};

static struct instant
now(const struct journal *j)
{
    return loop_now(j->room->loop);
}

/* What is in the pipes of rooms that have ended is read to its end. */
static void
finish_if_idle(struct journal *j)
{
    if (j->draining && inbox_is_empty(j->inbox))
        room_finish(j->room);
}

static void
on_empty(void *ctx)
{
    finish_if_idle(ctx);
}

static void
on_limit(void *ctx)
{
    struct journal *j = ctx;
    room_finish(j->room);
}

static void
on_tick(void *ctx)
{
    struct journal *j = ctx;
    chronicle_tick(j->chronicle, now(j));
    timer_set(j->tick, now(j).mono_ms + TICK_MS);
}

static bool
on_open(void *self, struct room *r, struct err *e)
{
    struct journal *j = self;
    struct arena a = {0};

    j->room = r;
    sandbox_yield();
    j->chronicle = chronicle_new(
        &(struct chronicle_setup){
            .disk = os_disk(),
            .executor = loop_executor(r->loop),
            .folder = arena_printf(&a, "%.*s/journal", STR_ARG(r->conf->state)),
            .retention_ms = r->conf->journal.retention_ms,
            .min_free = r->conf->journal.min_free,
        },
        now(j), e);
    arena_fini(&a);
    if (j->chronicle == NULL)
        return false;
    j->inbox = inbox_new(r->loop, j->chronicle, on_empty, j);
    j->tick = timer_new(r->loop, on_tick, j);
    j->limit = timer_new(r->loop, on_limit, j);
    return true;
}

static void
on_peer(void *self, enum pipe pipe, enum role role, uint32_t slot,
        uint64_t incarnation, int fd)
{
    struct journal *j = self;

    if (pipe == PIPE_JOURNAL)
        inbox_add(j->inbox, role, slot, incarnation, fd);
    else
        (void)close(fd);
}

static void
on_go(void *self)
{
    struct journal *j = self;

    room_ready(j->room);
    on_tick(j);
}

static void
on_config(void *self, struct conf *fresh)
{
    struct journal *j = self;

    chronicle_configure(j->chronicle, fresh->journal.retention_ms,
                        fresh->journal.min_free);
    chronicle_tick(j->chronicle, now(j));
}

static void
on_reaped(void *self, enum role role, uint32_t slot, uint64_t incarnation)
{
    struct journal *j = self;

    (void)role;
    (void)slot;
    inbox_reaped(j->inbox, incarnation);
}

static void
on_drain(void *self, bool hurry)
{
    struct journal *j = self;

    (void)hurry;
    j->draining = true;
    timer_set(j->limit, now(j).mono_ms + HURRY_MS);
    finish_if_idle(j);
}

int
journal_main(uint32_t slot, uint64_t incarnation)
{
    static const struct room_ops ops = {
        .role = ROLE_JOURNAL,
        .on_open = on_open,
        .on_peer = on_peer,
        .on_go = on_go,
        .on_config = on_config,
        .on_reaped = on_reaped,
        .on_drain = on_drain,
    };
    struct journal j = {0};
    int status = room_run(&ops, &j, slot, incarnation);

    /* A day that is being put in order on another thread stays as it was. */
    if (j.chronicle != NULL)
        chronicle_free(j.chronicle, now(&j));
    return status;
}
