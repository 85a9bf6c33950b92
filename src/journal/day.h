/* SPDX-License-Identifier: ISC */
/*
 * The file of one day, as its writer sees it: events go in by transactions of
 * many. After any failure the transaction is over (day_abort()) and nothing of
 * it has happened.
 *
 *     day_begin(d, &e) && day_add(d, &row, &e) && … && day_commit(d, &e)
 */
#pragma once

#include "base/err.h"
#include "journal/rows.h"

struct day;

/* Made if it is missing. NULL: *e; *damaged: it is no sound
 * database, or one of another layout. */
struct day *day_open(const char *path, int64_t number, struct err *e,
                     bool *damaged);
void day_close(struct day *d);

int64_t day_number(const struct day *d);
/* Why the last call failed: the file itself. */
bool day_is_damaged(const struct day *d);

bool day_begin(struct day *d, struct err *e);
/* r->id is given here. */
bool day_add(struct day *d, struct row *r, struct err *e);
/* *found: the incident is of this day. */
bool day_repeat(struct day *d, const struct journal_event *e, bool *found,
                struct err *why);
bool day_gap(struct day *d, const struct journal_event *gap, struct err *e);
/* This process's events below `next` are written. */
bool day_source(struct day *d, uint64_t incarnation, struct str room,
                uint32_t slot, uint64_t next, struct err *e);
bool day_commit(struct day *d, struct err *e);
void day_abort(struct day *d);

/* The number of the first event of that process that is not in here; 0: none of
 * it is. */
uint64_t day_next(struct day *d, uint64_t incarnation);
