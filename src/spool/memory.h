/* SPDX-License-Identifier: ISC */
/*
 * The spool in memory, for tests: what it accepted is gone with the process,
 * but every call behaves as spool.h says. Answers to a commit come from
 * spool_turn(). It is written for being obviously right (each call walks the
 * list of messages), so that it can be the measure of the log back end.
 *
 *     struct memory_spool *m = memory_spool_new();
 *     struct spool_door *d = memory_door_new(m, on_ready, ctx);
 *     struct spool_store *s = memory_store_new(m);
 *     ... spool_begin(d, &envelope, &why), spool_claim(s, …) ...
 *     spool_door_free(d), spool_store_free(s), memory_spool_free(m);
 */
#pragma once

#include "spool/spool.h"

struct memory_spool;

struct memory_spool *memory_spool_new(void);
void memory_spool_free(struct memory_spool *m); /* after doors and stores */

/* Each door is a writer of its own. on_ready may be NULL. */
struct spool_door *memory_door_new(struct memory_spool *m,
                                   void (*on_ready)(void *ctx), void *ctx);
struct spool_store *memory_store_new(struct memory_spool *m);

/* Trouble on request, until called again with SPOOL_OK: `begin` is what
 * spool_begin() says (FULL or CLOSED), `commit` how commits are answered. */
void memory_spool_fail(struct memory_spool *m, enum spool_result begin,
                       enum spool_result commit);

/* While parked, spool_chunk() returns false; letting go calls on_ready. */
void memory_spool_park(struct memory_spool *m, bool parked);
