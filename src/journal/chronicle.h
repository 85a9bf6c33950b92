/* SPDX-License-Identifier: ISC */
/*
 * All that is kept: a folder with a file a day, written by transactions, the
 * oldest days deleted. What cannot be written (no room, a file that is
 * damaged) is lost and counted, never waited for; the count is written as soon
 * as something can be.
 *
 *     chronicle_take(c, &source, &frame, now);  // … for a while
 *     chronicle_commit(c, now);
 *     next = chronicle_confirmed(c, incarnation);
 */
#pragma once

#include "base/disk.h"
#include "base/err.h"
#include "base/task.h"
#include "base/time.h"
#include "ipc/journal.h"

struct chronicle;

struct chronicle_setup {
    const struct disk *disk;
    struct executor executor; /* for putting days in order; may be {0} */
    struct str folder;
    int64_t retention_ms;
    uint64_t min_free; /* octets left for others on this file system */
};

/* A process that tells. */
struct chronicle_source {
    uint64_t incarnation;
    struct str room; /* static */
    uint32_t slot;
};

/* NULL: the folder cannot be used. A file that cannot be is no reason. */
struct chronicle *chronicle_new(const struct chronicle_setup *s,
                                struct instant now, struct err *e);
/* Commits. A task that is under way must not come back any more. */
void chronicle_free(struct chronicle *c, struct instant now);

void chronicle_configure(struct chronicle *c, int64_t retention_ms,
                         uint64_t min_free);

/* A frame of events. Those that are there already are passed over. */
void chronicle_take(struct chronicle *c, const struct chronicle_source *s,
                    const struct journal_msg *m, struct instant now);
/* Events taken and not committed. */
uint64_t chronicle_pending(const struct chronicle *c);
void chronicle_commit(struct chronicle *c, struct instant now);

/* Its events below this number are written, or lost and counted. */
uint64_t chronicle_confirmed(const struct chronicle *c, uint64_t incarnation);
/* It is dead, nothing more comes. */
void chronicle_forget(struct chronicle *c, uint64_t incarnation);

/* Now and then: deletes, puts in order, notices that a day is over. */
void chronicle_tick(struct chronicle *c, struct instant now);

/* A loss waits to be written: commit again in a second. */
bool chronicle_owes(const struct chronicle *c);

/* Events lost here since the start. */
uint64_t chronicle_lost(const struct chronicle *c);
