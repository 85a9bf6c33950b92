/* SPDX-License-Identifier: ISC */
/*
 * Writing the snapshot: the whole book, streamed from the database into a
 * constant database beside it. A task of its own with a connection of its own,
 * because a million accounts take seconds.
 *
 * The file is made under another name, synced, and renamed: readers have the
 * earlier one mapped, so it must not change under them.
 */
#pragma once

#include "base/task.h"
#include "directory/hosting.h"

struct compile {
    struct task task; /* run is compile_run(), done is the caller's */

    /* In. All changes up to `seen` were made before; they are forgotten once
     * the snapshot is in place. */
    const char *database; /* path */
    int folder;           /* open, of the snapshot */
    struct hosting hosting;
    int64_t seen;

    /* Out. */
    int fd; /* the snapshot, read-only; -1: it failed */
    uint64_t records;
    struct err err;
};

void compile_run(struct task *task);
