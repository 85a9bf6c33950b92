/* SPDX-License-Identifier: ISC */
/* SQLite, as far as this room needs it: statements that are prepared, bound and
 * stepped, and errors that name the file. */
#pragma once

#include <sqlite3.h>

#include "base/err.h"
#include "base/str.h"

/* NULL: *e, and *damaged says whether the file is at fault. */
sqlite3 *sql_open(const char *path, int flags, struct err *e, bool *damaged);
void sql_close(sqlite3 *db);

/* Did the last call fail because the file is no sound database? */
bool sql_is_damaged(sqlite3 *db);
/* What it says, with the file's name. Always false. */
bool sql_failed(sqlite3 *db, struct err *e);

/* One statement or several without parameters. */
bool sql_run(sqlite3 *db, const char *text, struct err *e);
/* Runs it; its first column of its first row, 0 without one. */
bool sql_number(sqlite3 *db, const char *text, int64_t *out, struct err *e);

bool sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out,
                 struct err *e);
void sql_bind_text(sqlite3_stmt *s, int at, struct str text);
void sql_bind_bytes(sqlite3_stmt *s, int at, struct str bytes);
/* Borrowed until the next step. */
struct str sql_text(sqlite3_stmt *s, int at);
struct str sql_bytes(sqlite3_stmt *s, int at);
/* To its end, and ready for the next time. */
bool sql_finish(sqlite3_stmt *s, struct err *e);
