/* SPDX-License-Identifier: ISC */
/*
 * A list that is a text file, and the constant database made of it: the task
 * that looks whether the source has become another, and then reads it anew. It
 * runs on a thread of the pool, since a million entries take a second.
 *
 * The database is kept, <state>/directory/lists/NAME.cdb, with the stamp of the
 * file that it was made from, so that a start need not read the source again
 * and a source that has become unreadable keeps its last good version. It is
 * made under another name, sealed, synced and renamed: readers have the earlier
 * one mapped.
 */
#pragma once

#include "base/arena.h"
#include "base/task.h"
#include "book/lists.h"
#include "os/folder.h"

enum listfile_result {
    LISTFILE_SAME = 0,  /* nothing new */
    LISTFILE_UNSETTLED, /* it has changed just now: look again soon */
    LISTFILE_FRESH,     /* fd is another version */
    LISTFILE_FAILED,    /* err; without a version before, fd may be the last
                           good one, or -1 */
};

struct listfile {
    struct task task; /* run is listfile_run(), done is the caller's */

    /* In. */
    enum list_id list;
    const char *path; /* of the source */
    int folder;       /* open, where databases are kept */
    bool have;        /* a version is in force, made from `known` */
    struct file_stamp known;
    /* What was seen last and not taken: unsettled, or it could not be read. */
    struct file_stamp seen;
    bool refused;    /* `seen` could not be read */
    int64_t wall_ms; /* now */

    /* Out; have, known, seen and refused, too. */
    enum listfile_result result;
    int fd; /* FRESH, FAILED: the database, read-only, the caller's; or -1 */
    bool compiled; /* FRESH: just now, not found on the disk */
    uint64_t entries, bad;
    struct arena arena;   /* of the warnings */
    struct str *warnings; /* the first few lines that were skipped */
    size_t n_warnings;
    struct err err;
};

void listfile_run(struct task *task);
