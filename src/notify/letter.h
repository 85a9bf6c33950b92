/* SPDX-License-Identifier: ISC */
/*
 * One notice in hand, from the queue's frame until it is durable in the spool
 * or declined. The desk holds them all and what they need.
 *
 *     owed ──bounce──────────────────────► written ──► stored (forgotten)
 *       └─autoreply─► asked ──may be told──┘   │
 *            └────────────┴──────────► declined ◄── forbidden
 *
 * A letter is known by its key: the same debt, told twice, is one letter. When
 * the spool has no room it waits and is written again from the start; when the
 * queue goes, what was not given to the spool goes too, as the next queue says
 * again what is owed. Content is read when it is written, so that many letters
 * that wait cost a descriptor each.
 */
#pragma once

#include "base/map.h"
#include "ipc/notice.h"
#include "ipc/vacation.h"
#include "room/door.h"

/* What the desk asks of its room. */
struct desk_ops {
    void (*decline)(void *ctx, const struct notice_msg *m, const char *why);
    /* false: the directory is away; desk_ask_again() when it is back. */
    bool (*ask)(void *ctx, const struct vacation_msg *ask);
    /* Nothing is in hand any more. */
    void (*idle)(void *ctx);
    void *ctx;
};

struct letter;

struct desk {
    struct str hostname;
    const unsigned char *random; /* 16 octets, for boundaries */
    unsigned slot;
    struct spool_door *door;
    struct desk_ops ops;
    struct diary *diary; /* or NULL */

    /* The desk's own. */
    struct letter *first, *last;
    struct map by_key;
    struct letter *writing; /* the one that the spool is taking */
    uint64_t seq;           /* of questions and boundaries */
    bool stuck;             /* the spool took none; desk_again() */
};

/* A desk begins as {0} with the upper part filled in. */
void desk_fini(struct desk *d);

/* A frame of the queue's with the original's descriptor, which is taken over.
 * false: not what a queue may say. */
bool desk_take(struct desk *d, struct str frame, int fd, struct instant now);

/* The directory's answer. false: it answers nothing we asked. */
bool desk_answer(struct desk *d, struct str frame, struct instant now);
/* There is a directory (again): every question that is open is asked. */
void desk_ask_again(struct desk *d);

/* The door may take more than before. */
void desk_again(struct desk *d, struct instant now);

/* The queue is gone: see above. */
void desk_drop(struct desk *d);

bool desk_idle(const struct desk *d);
