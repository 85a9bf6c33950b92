/* SPDX-License-Identifier: ISC */
/*
 * What conn.c and channel.c share with the loop: work put off to the end of
 * the turn, and one set of buffers for all connections of the loop.
 */
#pragma once

#include "base/buf.h"
#include "os/loop.h"

/* Part of its owner, zeroed at first. Queued at most once; may be withdrawn at
 * any time. */
struct deferred {
    struct deferred *next, *prev; /* a ring; NULL: not queued */
    void (*fn)(struct deferred *);
};

/* Steps run before and after the turn's hooks, flushes behind both, so that
 * whatever steps and hooks said leaves in this turn. */
void loop_defer_step(struct loop *l, struct deferred *d);
void loop_defer_flush(struct loop *l, struct deferred *d);
void loop_withdraw(struct deferred *d);

/* As watch_free(), where the descriptor is closed next and nobody else has it:
 * one system call less. */
void watch_free_closing(struct watch *w);

enum { LOOP_READ_MAX = 128 << 10 };

/* LOOP_READ_MAX octets to read into; free again when a callback returns. */
char *loop_read_buffer(struct loop *l);
/* The same for what TLS deciphered: empty between callbacks. */
struct buf *loop_plain_buffer(struct loop *l);
