/* SPDX-License-Identifier: ISC */
/*
 * The queue's ends of PIPE_DOOR: who writes into the spool (receive, notify)
 * gets a number, segments and large files, and says how far it came. The store
 * decides; this carries its words, and knows who is alive.
 */
#pragma once

#include "ipc/control.h"
#include "os/loop.h"
#include "spool/log.h"

struct writers;

/* on_roll_call: every writer that was there when we started has said what it
 * holds, or is dead; the store was told. */
struct writers *writers_new(struct loop *l, loop_fn on_roll_call, void *ctx);

/* Before the first peer; its callbacks for segments, large files and pressure
 * are the writers_…() below. */
void writers_use(struct writers *w, struct spool_store *store);

/* Takes fd. Those that come before writers_go() are waited for. */
void writers_add(struct writers *w, enum role role, uint32_t slot,
                 uint64_t incarnation, int fd);
void writers_go(struct writers *w);
void writers_reaped(struct writers *w, enum role role, uint32_t slot,
                    uint64_t incarnation);

/* At the end of each turn: whoever could not be given a number asks again. */
void writers_turn(struct writers *w);

/* For struct spool_log_setup; ctx is the struct writers. */
void writers_segment(void *ctx, uint64_t writer, uint64_t segment,
                     uint64_t generation, uint64_t size, int fd);
void writers_large(void *ctx, uint64_t writer, uint64_t large, int fd);
void writers_pressure(void *ctx, enum spool_pressure level);
