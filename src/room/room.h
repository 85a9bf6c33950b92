/* SPDX-License-Identifier: ISC */
/*
 * What all rooms share on their way in: take descriptors 3 and 4, read the
 * config, drop privileges, then loop and obey master. A room's main.c fills
 * the table of what it does itself and calls room_run().
 *
 *     static const struct room_ops ops = {
 *         .role = ROLE_MAILBOX, .on_peer = on_peer, .on_go = on_go, ... };
 *     int mailbox_main(void) { struct mailbox m = {0}; return room_run(&ops,
 * &m); }
 *
 * When master's end of the channel closes, the room ends.
 */
#pragma once

#include "base/err.h"
#include "conf/conf.h"
#include "ipc/control.h"
#include "os/channel.h"
#include "os/loop.h"

struct room {
    enum role role;
    uint32_t slot;
    uint64_t incarnation;
    struct loop *loop;
    struct conf *conf;      /* replaced by on_config */
    unsigned char key[16];  /* random, of this process: for incident ids */
    struct channel *master; /* private to room.c */
    void *self;             /* the ctx given to room_run() */
    const struct room_ops *ops;
    bool stopping;
};

struct room_ops {
    enum role role;
    /* Before privileges are dropped: open what must be opened by then. */
    bool (*on_open)(void *self, struct room *r, struct err *e);
    /* All of these own the descriptor they are given. */
    void (*on_peer)(void *self, enum pipe pipe, enum role role, uint32_t slot,
                    uint64_t incarnation, int fd);
    void (*on_listen)(void *self, struct str name, int fd);
    void (*on_file)(void *self, struct str name, int fd);
    void (*on_go)(void *self); /* call room_ready() when in service */
    void (*on_config)(void *self, struct conf *fresh); /* takes it over */
    void (*on_reaped)(void *self, enum role role, uint32_t slot,
                      uint64_t incarnation);
    /* Take no more, finish, then call room_finish(). hurry: the server stops.
     */
    void (*on_drain)(void *self, bool hurry);
};

/* The whole life of the process; returns its exit status. */
int room_run(const struct room_ops *ops, void *self);

void room_ready(struct room *r);  /* tells master */
void room_finish(struct room *r); /* ends the loop, exit status 0 */
/* An impossible state of the world at start: logged, exit status 1. */
void room_fail(struct room *r, const char *why);

/* The content of a memfd, into the arena; closes it. */
struct str room_read_file(struct arena *a, int fd);
