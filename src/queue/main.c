/* SPDX-License-Identifier: ISC */
/*
 * Security profile of `gatepost: queue`
 *
 *   runs as   gatepost-queue (run-as = "accounts"), else the caller
 *   holds     the spool's folder; the address book, mapped; the control
 *             socket `run/queue`; pipes to every writer and worker
 *   peers     directory, receive, notify, send, mailbox, the command line
 *   calls     files below the spool's folder, syncs, accept on one socket
 *   cannot    use the network, see a password; it parses no header
 *   who owns it  can read, change and lose the mail that waits here, and send
 *             mail in anybody's name
 */
#include "queue/queue.h"

#include <unistd.h>

#include "os/disk.h"
#include "os/log.h"
#include "queue/desk.h"
#include "queue/events.h"
#include "queue/notices.h"
#include "queue/schedule.h"
#include "queue/workers.h"
#include "queue/writers.h"
#include "room/room.h"
#include "room/shelf.h"
#include "spool/log.h"

enum {
    CLAIMS_A_TURN = 512,
    LANE_WINDOW = 512,    /* jobs in hand of one mailbox worker */
    DRAIN_MS = 60 * 1000, /* for workers to finish what they have */
    HURRY_MS = 1500,      /* master's own limit is 2 s */
};

struct queue {
    struct room *room;
    struct arena arena; /* of the start */
    struct arena texts; /* of the config in force */
    struct spool_store *store;
    struct shelf *shelf;
    struct book book;
    struct schedule *schedule;
    struct writers *writers;
    struct workers *workers;
    struct notices *notices;
    struct desk *desk;
    struct timer *timer;
    bool roll_called, started;
    bool draining;
    int64_t drain_until; /* mono_ms */
};

/* ---- the store's words --------------------------------------------------- */

static void
on_segment(void *ctx, uint64_t writer, uint64_t segment, uint64_t generation,
           uint64_t size, int fd)
{
    struct queue *q = ctx;
    writers_segment(q->writers, writer, segment, generation, size, fd);
}

static void
on_large(void *ctx, uint64_t writer, uint64_t large, int fd)
{
    struct queue *q = ctx;
    writers_large(q->writers, writer, large, fd);
}

static void
on_pressure(void *ctx, enum spool_pressure level)
{
    static const char *const names[] = {"none", "slow", "full"};
    struct queue *q = ctx;

    log_event(level == SPOOL_PRESSURE_FULL ? LOG_ERROR : LOG_DEBUG, "pressure",
              LOG_S("level", str_from(names[level])), LOG_END);
    writers_pressure(q->writers, level);
}

static void
on_forget(void *ctx, uint64_t segment)
{
    struct queue *q = ctx;
    workers_forget(q->workers, segment);
}

static void
on_corrupt(void *ctx, const char *file, uint64_t offset, const char *what)
{
    (void)ctx;
    log_event(LOG_ERROR, "corrupt", LOG_S("file", str_from(file)),
              LOG_N("offset", (int64_t)offset), LOG_S("what", str_from(what)),
              LOG_END);
}

static void
on_trouble(void *ctx, const struct err *e)
{
    (void)ctx;
    log_error(e->text);
}

/* ---- settings ------------------------------------------------------------ */

static struct schedule_options
options_of(const struct conf *c)
{
    size_t loaded = c->queue.max_in_flight;
    size_t window = c->queue.destination_window;
    struct schedule_options o = {.smarthost = c->relay.smarthost,
                                 .max_in_flight = c->queue.max_in_flight};

    o.retry.min_ms = c->queue.retry_min_ms;
    o.retry.max_ms = c->queue.retry_max_ms;
    o.retry.give_up_ms = c->queue.give_up_ms;
    o.send.lanes = c->send.workers;
    o.send.lane_window = 2 * window; // a worker has several destinations
    o.send.destination_window = window;
    o.send.waiting_max = loaded - loaded / 4;
    o.mailbox.lanes = c->mailbox.workers;
    o.mailbox.lane_window = LANE_WINDOW; // and a mailbox may have all of it
    o.mailbox.destination_window = LANE_WINDOW;
    o.mailbox.waiting_max = loaded - loaded / 4;
    return o;
}

static void
book_configure(struct queue *q, const struct conf *c)
{
    arena_reset(&q->texts);
    shelf_expect_lists(q->shelf, c);
    q->book = (struct book){
        .find = shelf_find,
        .listed = shelf_listed,
        .ctx = q->shelf,
        .hostname = c->hostname,
        .postmaster = c->postmaster,
        .postmaster_delivery = arena_printf(
            &q->texts, "maildir:%.*s/postmaster", STR_ARG(c->state)),
    };
}

/* ---- the turn ------------------------------------------------------------ */

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void
set_timer(struct queue *q, struct instant now)
{
    int64_t due = spool_next_due(q->store);
    int64_t at = spool_store_wake(q->store);

    /* Due mail waits for room, not for time, while the schedule is full. */
    if (due != INT64_MAX && due > now.wall_ms && q->started)
        at = earlier(at, now.mono_ms + (due - now.wall_ms));
    if (q->draining)
        at = earlier(at, q->drain_until);
    if (at == INT64_MAX)
        timer_clear(q->timer);
    else if (at <= now.mono_ms)
        loop_again(q->room->loop);
    else
        timer_set(q->timer, at);
}

static void
deliver(struct queue *q, struct instant now)
{
    if (!q->started && q->roll_called && workers_settled(q->workers))
        q->started = true;
    if (!q->started || q->draining || q->room->conf->queue.paused)
        return;
    if (schedule_fill(q->schedule, now, CLAIMS_A_TURN) > 0)
        loop_again(q->room->loop); // what was settled there is written next
    workers_pump(q->workers);
    notices_pump(q->notices);
}

static void
drain(struct queue *q, struct instant now)
{
    bool idle =
        schedule_in_hand(q->schedule) == 0 && spool_log_store_idle(q->store);
    if (idle || now.mono_ms >= q->drain_until)
        room_finish(q->room);
}

static void
on_turn_end(void *ctx)
{
    struct queue *q = ctx;
    struct instant now = loop_now(q->room->loop);

    writers_turn(q->writers);
    spool_store_turn(q->store, now); // takes in what came
    workers_confirm(q->workers);
    deliver(q, now);
    if (q->draining)
        drain(q, now);
    set_timer(q, now);
}

/* Who is in the queue's books and whose mail it is must be known before what
 * the workers have in hand can be understood. */
static void
open_workers(void *ctx)
{
    struct queue *q = ctx;
    if (q->roll_called && shelf_ready(q->shelf))
        workers_open(q->workers);
}

static void
on_roll_call(void *ctx)
{
    struct queue *q = ctx;
    q->roll_called = true;
    open_workers(q);
}

static void
on_timer(void *ctx)
{
    (void)ctx; // the end of the turn does the work
}

/* ---- the room ------------------------------------------------------------ */

static bool
open_store(struct queue *q, struct err *e)
{
    const struct conf *c = q->room->conf;
    struct str path = arena_printf(&q->arena, "%.*s/spool", STR_ARG(c->state));
    struct spool_log_setup setup = {
        .disk = os_disk(),
        .executor = loop_executor(q->room->loop),
        .segment_size = c->spool.segment_size,
        .reserve = c->spool.reserve,
        .min_free = c->spool.min_free,
        .ctx = q,
        .on_segment = on_segment,
        .on_large = on_large,
        .on_pressure = on_pressure,
        .on_forget = on_forget,
        .on_corrupt = on_corrupt,
        .on_trouble = on_trouble,
    };

    setup.dir = os_open_dir(arena_cstr(&q->arena, path));
    if (setup.dir < 0)
        return err_sys(e, "open", arena_cstr(&q->arena, path));
    q->store = spool_log_store_open(&setup, e);
    return q->store != NULL;
}

static bool
on_open(void *self, struct room *r, struct err *e)
{
    struct queue *q = self;
    const struct schedule_hooks hooks = {.ctx = r->diary,
                                         .on_event = events_settled,
                                         .on_expanded = events_expanded};
    struct schedule_options o = options_of(r->conf);

    q->room = r;
    q->shelf = shelf_new(r->loop, open_workers, q);
    book_configure(q, r->conf);
    q->writers = writers_new(r->loop, on_roll_call, q);
    q->workers = workers_new(r->loop);
    q->notices = notices_new(r->loop, &q->book);
    if (!open_store(q, e))
        return false;
    /* Numbers of jobs are never used again: a worker may still have one of an
     * earlier queue. */
    q->schedule = schedule_new(q->store, &q->book, &o, &hooks,
                               (r->incarnation & UINT32_MAX) << 32 | 1);
    writers_use(q->writers, q->store);
    workers_use(q->workers, q->store, q->schedule);
    notices_use(q->notices, q->store);
    q->desk = desk_new(r->loop, q->store, q->schedule, r->diary);
    q->timer = timer_new(r->loop, on_timer, q);
    loop_at_turn_end(r->loop, on_turn_end, q);
    return true;
}

static void
on_peer(void *self, enum pipe pipe, enum role role, uint32_t slot,
        uint64_t incarnation, int fd)
{
    struct queue *q = self;

    switch (pipe) {
    case PIPE_BOOK:
        shelf_attach(q->shelf, fd);
        return;
    case PIPE_DOOR:
        writers_add(q->writers, role, slot, incarnation, fd);
        return;
    case PIPE_JOB:
        workers_add(q->workers, role, slot, incarnation, fd);
        return;
    case PIPE_NOTICE:
        notices_attach(q->notices, fd);
        return;
    case PIPE_NONE:
    case PIPE_LOGIN:
    case PIPE_VACATION:
    case PIPE_LOOKUP:
    case PIPE_JOURNAL:
    case PIPE_COUNT:
    default:
        (void)close(fd);
    }
}

static void
on_listen(void *self, struct str name, int fd)
{
    struct queue *q = self;
    (void)name;
    desk_listen(q->desk, fd);
}

static void
on_go(void *self)
{
    struct queue *q = self;

    writers_go(q->writers);
    log_event(LOG_INFO, "opened",
              LOG_N("messages", (int64_t)spool_count(q->store)), LOG_END);
    room_ready(q->room);
}

static void
on_config(void *self, struct conf *fresh)
{
    struct queue *q = self;
    struct schedule_options o = options_of(fresh);

    book_configure(q, fresh);
    schedule_configure(q->schedule, &o);
}

static void
on_reaped(void *self, enum role role, uint32_t slot, uint64_t incarnation)
{
    struct queue *q = self;

    writers_reaped(q->writers, role, slot, incarnation);
    workers_reaped(q->workers, role, slot, incarnation);
}

static void
on_drain(void *self, bool hurry)
{
    struct queue *q = self;

    q->draining = true;
    q->drain_until =
        loop_now(q->room->loop).mono_ms + (hurry ? HURRY_MS : DRAIN_MS);
}

int
queue_main(uint32_t slot, uint64_t incarnation)
{
    static const struct room_ops ops = {
        .role = ROLE_QUEUE,
        .on_open = on_open,
        .on_peer = on_peer,
        .on_listen = on_listen,
        .on_go = on_go,
        .on_config = on_config,
        .on_reaped = on_reaped,
        .on_drain = on_drain,
    };
    struct queue q = {0};

    /* Threads may still be syncing: what they use ends with the process. */
    return room_run(&ops, &q, slot, incarnation);
}
