/* SPDX-License-Identifier: ISC */
/* Folders and small files by path, for who prepares the house. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/account.h"

/* Makes it, with its parents (those 0755). owner: NULL: whoever we are; else
 * it is given to them, and its mode set. */
bool folder_make(const char *path, unsigned mode, const struct account *owner,
                 struct err *e);

/* Gives all that is inside to owner: what root left there. Follows no links. */
bool folder_give(const char *path, const struct account *owner, struct err *e);

/*
 * The right to be the only one: a lock on the file, which lasts until the last
 * process that inherited the descriptor has ended. If the process that wrote
 * its number into it has ended already, we wait for the others, wait_ms at
 * most. -1 with *e; *holder is then that number, or 0.
 */
int folder_lock(const char *path, int64_t wait_ms, int64_t *holder,
                struct err *e);

/* All of a file of at most `max` octets. */
bool file_read(const char *path, size_t max, struct buf *to, struct err *e);
bool file_write(const char *path, struct str content, unsigned mode,
                struct err *e);
void file_remove(const char *path);

/* What tells whether a file has become another. */
struct file_stamp {
    uint64_t inode;
    int64_t size;
    int64_t mtime_ns; /* since 1970 */
};

bool file_stamp(const char *path, struct file_stamp *s, struct err *e);
bool file_stamp_eq(const struct file_stamp *a, const struct file_stamp *b);

/* A regular file for reading, links followed; -1 with *e. */
int file_open(const char *path, struct file_stamp *s, struct err *e);
