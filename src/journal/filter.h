/* SPDX-License-Identifier: ISC */
/*
 * `DAY.db-filter`: which words a day that is in order can hold at all, so that
 * a rare one is not looked for in thirty files. A Bloom filter, all bits of a
 * word in one page: a question is one read, the answer no or perhaps.
 *
 * It is believed only while the day's file is the one that it was made of: of
 * that size, with SQLite's change counter as it was, which every writer
 * increments. So it can be deleted, copied or left behind at any time.
 *
 *     page 0   magic, seed of the words, size and change counter of the file,
 *              pages, 1 if it has gaps; little-endian
 *     1 to n   4096 octets of bits each
 */
#pragma once

#include "journal/sql.h"

struct filter {
    int fd; /* -1: there is none that holds good */
    uint64_t seed, pages;
    bool has_gaps;
};

/* For the day's file at that path, in order and without -wal. Blocks; any
 * thread. */
bool filter_write(sqlite3 *db, const char *path, uint64_t seed, bool has_gaps,
                  struct err *e);

/* path: the day's file, not opened by this process: closing it would take the
 * locks from SQLite. */
void filter_open(struct filter *f, const char *path);
void filter_close(struct filter *f);

/* false: surely not. */
bool filter_may_hold(const struct filter *f, uint64_t hash);
