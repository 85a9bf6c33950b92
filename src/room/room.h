/* SPDX-License-Identifier: ISC */
/*
 * What all rooms share on their way in: take descriptors 3 and 4, give up what
 * is not needed, read the config, then loop and obey master. A room's main.c
 * fills the table of what it does itself and calls room_run().
 *
 *     static const struct room_ops ops = {
 *         .role = ROLE_MAILBOX, .on_peer = on_peer, .on_go = on_go, ... };
 *
 *     int
 *     mailbox_main(uint32_t slot, uint64_t incarnation)
 *     {
 *         struct mailbox m = {0};
 *         return room_run(&ops, &m, slot, incarnation);
 *     }
 *
 * The process has its user already: master changes it before the exec, so a
 * room never runs as root unless the config says so. When master's end of the
 * channel closes, the room ends.
 */
#pragma once

#include "base/err.h"
#include "conf/conf.h"
#include "ipc/control.h"
#include "os/channel.h"
#include "os/loop.h"

struct diary;

struct room {
    enum role role;
    uint32_t slot;
    uint64_t incarnation;
    struct loop *loop;
    struct conf *conf;      /* the one in force */
    unsigned char key[16];  /* random, of this process: for incident ids */
    struct channel *master; /* private to room.c */
    struct diary *diary;    /* room/diary.h; NULL: journal keeps none */
    void *self;             /* the ctx given to room_run() */
    const struct room_ops *ops;
    bool stopping; /* DRAIN or STOP has come */
    int status;    /* private to room.c */
};

struct room_ops {
    enum role role;
    /* Open what cannot be opened once the sandbox has closed behind it. r
     * stays until room_run() returns. */
    bool (*on_open)(void *self, struct room *r, struct err *e);
    /* All of these own the descriptor they are given. One that is NULL closes
     * it. */
    void (*on_peer)(void *self, enum pipe pipe, enum role role, uint32_t slot,
                    uint64_t incarnation, int fd);
    void (*on_listen)(void *self, struct str name, int fd);
    void (*on_file)(void *self, struct str name, int fd);
    void (*on_go)(void *self); /* call room_ready() when in service */
    /* r->conf is `fresh` already; the old one is freed on return. */
    void (*on_config)(void *self, struct conf *fresh);
    void (*on_reaped)(void *self, enum role role, uint32_t slot,
                      uint64_t incarnation);
    /* Take no more, finish, then call room_finish(). hurry: the server stops.
     */
    void (*on_drain)(void *self, bool hurry);
};

/* The whole life of the process; returns its exit status. */
int room_run(const struct room_ops *ops, void *self, uint32_t slot,
             uint64_t incarnation);

void room_ready(struct room *r);  /* tells master */
void room_finish(struct room *r); /* ends the loop, exit status 0 */
/* The world is not as we need it: logged, the loop ends, exit status 1, and
 * master starts us again. */
void room_fail(struct room *r, const char *why);

/* The content of a memfd, into the arena; closes it. Empty if unreadable. */
struct str room_read_file(struct arena *a, int fd);
