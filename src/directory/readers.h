/* SPDX-License-Identifier: ISC */
/*
 * Who reads the book (receive and queue), how far each has come, and who waits
 * for all of them. What is sent is directory/publisher.h's business.
 */
#pragma once

#include "base/str.h"
#include "os/loop.h"

struct readers;
struct reader;

struct readers *readers_new(struct loop *l);
void readers_free(struct readers *rs); /* after loop_run() has returned */

/* Takes fd, the pipe to a reader. */
struct reader *readers_attach(struct readers *rs, int fd);

/* fd is -1 or stays the caller's. */
void reader_send(struct reader *r, struct str frame, int fd);
void readers_send(struct readers *rs, struct str frame, int fd);

/* Someone who waits until `version` is in force with every reader that is
 * attached then; fn is called once, from the loop or from inside
 * readers_wait(), unless cancelled. */
struct readers_wait {
    struct readers_wait *next;
    uint64_t version;
    loop_fn fn;
    void *ctx;
};
void readers_wait(struct readers *rs, struct readers_wait *w);
void readers_cancel(struct readers *rs, struct readers_wait *w);

/* There is a book now; before, nothing is in force. */
void readers_published(struct readers *rs);
