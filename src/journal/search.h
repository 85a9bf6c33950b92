/* SPDX-License-Identifier: ISC */
/*
 * Looking for words in one day's file, as it is in one moment: its blocks and
 * the words of the open one are read once, then each question costs a descent a
 * word and block.
 *
 *     search_begin(&s, db, &e) && search_run(&s, &question, on_id, ctx, &e)
 *     search_end(&s);
 */
#pragma once

#include "journal/words.h"

struct search {
    sqlite3_stmt *find; /* NULL: not begun */
    struct buf blocks;  /* of struct words_block, the newest first */
    struct buf open;    /* of struct word */
};

struct search_question {
    const uint64_t *words; /* all of them, 1 to SEARCH_WORDS_MAX */
    size_t n;
    int64_t since_ms, until_ms;
    int64_t first_id, last_id; /* of the same time */
};

enum { SEARCH_WORDS_MAX = 8 };

/* An event that may hold the words: whoever gets it compares. *enough ends the
 * search; false: *e. */
typedef bool (*search_fn)(void *ctx, int64_t id, bool *enough, struct err *e);

bool search_begin(struct search *s, sqlite3 *db, struct err *e);
void search_end(struct search *s);

/* The newest first. */
bool search_run(const struct search *s, const struct search_question *q,
                search_fn fn, void *ctx, struct err *e);
