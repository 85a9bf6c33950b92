/* SPDX-License-Identifier: ISC */
#include "journal/sql.h"

#include <assert.h>
#include <limits.h>

enum { BUSY_TIMEOUT_MS = 2000 };

static bool
is_damage(int rc)
{
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

bool
sql_is_damaged(sqlite3 *db)
{
    return is_damage(sqlite3_errcode(db));
}

bool
sql_failed(sqlite3 *db, struct err *e)
{
    const char *file = sqlite3_db_filename(db, "main");
    return err_set(e, "%s: %s", file != NULL ? file : "journal",
                   sqlite3_errmsg(db));
}

sqlite3 *
sql_open(const char *path, int flags, struct err *e, bool *damaged)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);

    *damaged = is_damage(rc);
    if (rc == SQLITE_OK) {
        (void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
        return db;
    }
    (void)err_set(e, "%s: %s", path, sqlite3_errstr(rc));
    (void)sqlite3_close(db);
    return NULL;
}

void
sql_close(sqlite3 *db)
{
    int rc = sqlite3_close(db);
    assert(rc == SQLITE_OK); // no statement was left open
}

bool
sql_run(sqlite3 *db, const char *text, struct err *e)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ||
           sql_failed(db, e);
}

bool
sql_number(sqlite3 *db, const char *text, int64_t *out, struct err *e)
{
    sqlite3_stmt *s;

    *out = 0;
    if (!sql_prepare(db, text, &s, e))
        return false;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || sql_failed(db, e);
    (void)sqlite3_finalize(s);
    return ok;
}

bool
sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out, struct err *e)
{
    *out = NULL;
    return sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, out,
                              NULL) == SQLITE_OK ||
           sql_failed(db, e);
}

void
sql_bind_text(sqlite3_stmt *s, int at, struct str text)
{
    assert(text.n <= INT_MAX);
    (void)sqlite3_bind_text(s, at, text.n > 0 ? text.p : "", (int)text.n,
                            SQLITE_STATIC);
}

struct str
sql_text(sqlite3_stmt *s, int at)
{
    const unsigned char *p = sqlite3_column_text(s, at);
    return p == NULL ? STR_EMPTY
                     : str_from_n(p, (size_t)sqlite3_column_bytes(s, at));
}

void
sql_bind_bytes(sqlite3_stmt *s, int at, struct str bytes)
{
    (void)sqlite3_bind_blob64(s, at, bytes.n > 0 ? bytes.p : "", bytes.n,
                              SQLITE_STATIC);
}

struct str
sql_bytes(sqlite3_stmt *s, int at)
{
    const void *p = sqlite3_column_blob(s, at);
    return p == NULL ? STR_EMPTY
                     : str_from_n(p, (size_t)sqlite3_column_bytes(s, at));
}

bool
sql_finish(sqlite3_stmt *s, struct err *e)
{
    int rc;

    do {
        rc = sqlite3_step(s);
    } while (rc == SQLITE_ROW);
    bool ok = rc == SQLITE_DONE || sql_failed(sqlite3_db_handle(s), e);
    (void)sqlite3_reset(s);
    return ok;
}
