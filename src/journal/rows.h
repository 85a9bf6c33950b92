/* SPDX-License-Identifier: ISC */
/*
 * The table `event`: a row an event, a column a field of struct journal_event,
 * all from one table in rows.c, for who writes and who reads.
 *
 * A row's number is its time in the day and a counter, so that numbers of a
 * time are a range, and the newest is the greatest.
 */
#pragma once

#include "ipc/journal.h"
#include "journal/sql.h"

enum { ROWS_VERSION = 2, ROWS_COUNTER_BITS = 20 };

struct row {
    int64_t id;
    struct str room;
    uint32_t slot;
    struct journal_event e;
};

/* All that a day's file begins with. */
void rows_add_schema(struct buf *sql);

/* Of an event at that time, the counter's value being n. */
int64_t rows_id(int64_t at_ms, int64_t day, uint64_t n);
/* The lowest number of that moment. */
int64_t rows_first_id(int64_t at_ms, int64_t day);

/* "INSERT INTO event …", "SELECT … FROM event": behind the latter comes what
 * you like. */
void rows_add_insert(struct buf *sql);
void rows_add_select(struct buf *sql);

void rows_bind(sqlite3_stmt *s, const struct row *r);
/* Texts are borrowed until the next step. */
void rows_read(sqlite3_stmt *s, struct row *r);
