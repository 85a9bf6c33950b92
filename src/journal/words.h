/* SPDX-License-Identifier: ISC */
/*
 * The index of a day's file: the events that hold a word (journal/terms.h).
 *
 * Some thousand events, in the order they came, are a block. Its words are
 * sorted once and written as a few hundred rows of `words`, each as many octets
 * as half a page: so a word costs the writer eight octets and a share of a sort
 * instead of a row in a tree, and a look-up one descent for each block. Blocks
 * are merged into larger ones, those of a day that is over into one.
 *
 * The words of the block that is still open are in `fresh`, unsorted, a row a
 * transaction, until it is closed; who reads walks over them.
 *
 *     key      block << 27 | hash of the first entry; no row has entries of two
 *              buckets, and a hash is never in two rows of a block
 *     hash     the upper 27 bits of the word's; the upper 10 of these are its
 *              bucket
 *     entries  8 octets each, little-endian, ascending: the lower 17 bits of
 * the hash, 47 of the event's id. In `fresh` its bucket goes before each, 2
 * octets.
 *
 * 27 bits are few: what is found may be another word's. Whoever reads compares
 * the event itself (terms_hold()).
 */
#pragma once

#include "base/buf.h"
#include "journal/sql.h"

struct word {
    uint64_t entry;
    uint32_t bucket;
};

/* Events that lie together. */
struct words_block {
    int64_t number, events, from_ms, until_ms;
};

/* How many hashes there are. */
enum { WORDS_SHORT = 1 << 27 };

/* The part of a word's hash that is in the file. */
uint32_t words_short(uint64_t hash);

struct word words_make(uint64_t hash, int64_t id);
bool words_is(const struct word *w, uint64_t hash);
int64_t words_id(const struct word *w);

/* Appends one transaction's part of the open block. */
bool words_add_fresh(sqlite3 *db, const struct words_block *part,
                     const struct word *list, size_t n, struct err *e);
/* All of the open block: b's events and times, and `list` of struct word. */
bool words_read_fresh(sqlite3 *db, struct words_block *b, struct buf *list,
                      struct err *e);

/* The open block is closed: it becomes block b->number. */
bool words_close_block(sqlite3 *db, const struct words_block *b,
                       const struct word *list, size_t n, struct err *e);

/* The blocks from `first` to before `target`, some at least, become one of that
 * number. */
bool words_merge(sqlite3 *db, int64_t first, int64_t target, struct err *e);

bool words_prepare_find(sqlite3 *db, sqlite3_stmt **s, struct err *e);
/* Appends the ids, as int64_t and ascending, of that block's events with an id
 * of first to last that may hold the word. */
bool words_find(sqlite3_stmt *s, int64_t block, uint64_t hash, int64_t first,
                int64_t last, struct buf *ids, struct err *e);

/* Sets the bit of each hash that a block holds, `bits` being WORDS_SHORT / 8
 * octets of zeros; *n: how many. */
bool words_mark(sqlite3 *db, unsigned char *bits, uint64_t *n, struct err *e);
