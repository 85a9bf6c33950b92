/* SPDX-License-Identifier: ISC */
/*
 * notify: writes what Gatepost writes itself, bounces and autoreplies.
 *
 *   user     gatepost-notify (or the caller's: run-as)
 *   root     /
 *   holds    3 the pipe to master, 4 the config; pipes to queue (notices, the
 *            door) and directory (who is away); of each notice in hand the
 *            octets of the one message it is about; its own log segments and
 *            large files, as the queue gave them
 *   opens    nothing
 *   peers    queue, directory, master
 *   calls    read, write, sendmsg, recvmsg, pread, pwritev, fdatasync, mmap,
 *            futex, clone of a thread, epoll, clock_gettime
 *   foreign  the header of messages, replies of other hosts
 *
 * Who owns it can write mail to anybody as Mailer-Daemon or in the name of an
 * account that is away, and read the messages that fail while it lasts. It
 * cannot read other mail, learn a password or reach the network.
 */
#include "notify/notify.h"

#include <unistd.h>

#include "notify/letter.h"
#include "os/log.h"

enum {
    BODY_MEMORY = 8 << 20, /* octets of notices before large files are used */
    AGAIN_MS = 1000        /* after the spool took nothing */
};

struct notify {
    struct room *room;
    struct door *door;
    struct desk desk;
    struct channel *queue, *directory; /* NULL: away */
    struct timer *again;
    bool waiting; /* for the timer */
    bool draining;
};

static struct instant
now(const struct notify *n)
{
    return loop_now(n->room->loop);
}

static void
finish_if_idle(struct notify *n)
{
    if (n->draining && desk_idle(&n->desk) && door_idle(n->door))
        room_finish(n->room);
}

static void
on_better(void *ctx)
{
    struct notify *n = ctx;
    desk_again(&n->desk, now(n));
}

static void
on_again(void *ctx)
{
    struct notify *n = ctx;
    n->waiting = false;
    desk_again(&n->desk, now(n));
    finish_if_idle(n);
}

/* The spool says when it is ready, but not when its trouble is over. */
static void
on_turn_end(void *ctx)
{
    struct notify *n = ctx;
    if ((n->desk.stuck || n->draining) && !n->waiting) {
        n->waiting = true;
        timer_set(n->again, now(n).mono_ms + (n->draining ? 20 : AGAIN_MS));
    }
}

/* ---- the queue ----------------------------------------------------------- */

static void
decline(void *ctx, const struct notice_msg *m, const char *why)
{
    struct notify *n = ctx;
    struct buf frame = {0};
    notice_encode(&frame, &(struct notice_msg){.type = NOTICE_MSG_DECLINED,
                                               .key = m->key,
                                               .kind = m->kind,
                                               .original = m->original,
                                               .why = str_from(why)});
    if (n->queue != NULL)
        channel_send(n->queue, buf_str(&frame));
    buf_fini(&frame);
}

static void
lose_queue(struct notify *n)
{
    channel_free(n->queue);
    n->queue = NULL;
    desk_drop(&n->desk);
}

static void
on_notice(void *ctx, struct str frame, int fd)
{
    struct notify *n = ctx;
    if (n->draining) { // for the next of us
        (void)close(fd);
        return;
    }
    if (desk_take(&n->desk, frame, fd, now(n)))
        return;
    log_error("the queue sent something else than a notice");
    lose_queue(n);
}

static void
on_queue_end(void *ctx)
{
    lose_queue(ctx);
}

/* ---- the directory ------------------------------------------------------- */

static bool
ask(void *ctx, const struct vacation_msg *m)
{
    struct notify *n = ctx;
    struct buf frame = {0};
    if (n->directory == NULL)
        return false;
    vacation_encode(&frame, m);
    channel_send(n->directory, buf_str(&frame));
    buf_fini(&frame);
    return true;
}

static void
lose_directory(struct notify *n)
{
    channel_free(n->directory);
    n->directory = NULL;
}

static void
on_answer(void *ctx, struct str frame, int fd)
{
    struct notify *n = ctx;
    if (fd < 0 && desk_answer(&n->desk, frame, now(n)))
        return;
    if (fd >= 0)
        (void)close(fd);
    log_error("the directory sent something else than an answer");
    lose_directory(n);
}

static void
on_directory_end(void *ctx)
{
    lose_directory(ctx);
}

/* ---- master -------------------------------------------------------------- */

static void
on_idle(void *ctx)
{
    finish_if_idle(ctx);
}

static bool
on_open(void *self, struct room *r, struct err *e)
{
    struct notify *n = self;
    (void)e;
    n->room = r;
    n->door = door_new(r, BODY_MEMORY, on_better, n);
    n->again = timer_new(r->loop, on_again, n);
    n->desk = (struct desk){
        .hostname = r->conf->hostname,
        .random = r->key,
        .slot = r->slot,
        .door = door_spool(n->door),
        .diary = r->diary,
        .ops = {.decline = decline, .ask = ask, .idle = on_idle, .ctx = n},
    };
    loop_at_turn_end(r->loop, on_turn_end, n);
    return true;
}

static void
on_peer(void *self, enum pipe pipe, enum role role, uint32_t slot,
        uint64_t incarnation, int fd)
{
    struct notify *n = self;
    struct loop *l = n->room->loop;
    (void)role;
    (void)slot;
    (void)incarnation;
    if (pipe == PIPE_DOOR) {
        door_attach(n->door, fd);
    } else if (pipe == PIPE_NOTICE) {
        lose_queue(n);
        n->queue = channel_new(l, fd, on_notice, on_queue_end, n);
    } else if (pipe == PIPE_VACATION) {
        lose_directory(n);
        n->directory = channel_new(l, fd, on_answer, on_directory_end, n);
        desk_ask_again(&n->desk);
    } else {
        (void)close(fd);
    }
}

static void
on_go(void *self)
{
    struct notify *n = self;
    room_ready(n->room);
}

/* What was not given to the spool yet stays owed: the queue hands it to the
 * next of us. */
static void
on_drain(void *self, bool hurry)
{
    struct notify *n = self;
    (void)hurry;
    n->draining = true;
    desk_drop(&n->desk);
    finish_if_idle(n);
}

int
notify_main(uint32_t slot, uint64_t incarnation)
{
    static const struct room_ops ops = {
        .role = ROLE_NOTIFY,
        .on_open = on_open,
        .on_peer = on_peer,
        .on_go = on_go,
        .on_drain = on_drain,
    };
    struct notify n = {0};
    int status = room_run(&ops, &n, slot, incarnation);

    door_free(n.door);
    desk_fini(&n.desk);
    return status;
}
