/* SPDX-License-Identifier: ISC */
#include "directory/accounts_internal.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "os/disk.h"

enum { BUSY_TIMEOUT_MS = 5000 };

static bool
failed(struct accounts *a, struct err *e)
{
    return err_set(e, "accounts database: %s", sqlite3_errmsg(a->db));
}

bool
query_begin(struct query *q, struct accounts *a, const char *sql, struct err *e)
{
    *q = (struct query){.a = a};
    if (sqlite3_prepare_v2(a->db, sql, -1, &q->statement, NULL) != SQLITE_OK)
        return failed(a, e);
    return true;
}

void
query_text(struct query *q, int at, struct str text)
{
    assert(text.n <= INT_MAX);
    (void)sqlite3_bind_text(q->statement, at, text.n > 0 ? text.p : "",
                            (int)text.n, SQLITE_STATIC);
}

void
query_number(struct query *q, int at, int64_t number)
{
    (void)sqlite3_bind_int64(q->statement, at, number);
}

enum query_result
query_step(struct query *q, struct err *e)
{
    int rc = sqlite3_step(q->statement);

    if (rc == SQLITE_ROW)
        return q->last = QUERY_ROW;
    if (rc == SQLITE_DONE)
        return q->last = QUERY_DONE;
    (void)failed(q->a, e);
    return q->last =
               (rc & 0xff) == SQLITE_CONSTRAINT ? QUERY_CLASH : QUERY_FAILED;
}

struct str
query_column(struct query *q, int at)
{
    const unsigned char *p = sqlite3_column_text(q->statement, at);
    return str_from_n(p, (size_t)sqlite3_column_bytes(q->statement, at));
}

int64_t
query_column_number(struct query *q, int at)
{
    return sqlite3_column_int64(q->statement, at);
}

bool
query_end(struct query *q)
{
    (void)sqlite3_finalize(q->statement);
    q->statement = NULL;
    return q->last != QUERY_FAILED && q->last != QUERY_CLASH;
}

enum query_result
query_run(struct accounts *a, const char *sql, const struct str *text,
          size_t n_text, size_t *n, struct err *e)
{
    struct query q;
    enum query_result result;

    if (!query_begin(&q, a, sql, e))
        return QUERY_FAILED;
    for (size_t i = 0; i < n_text; i++)
        query_text(&q, (int)i + 1, text[i]);
    do {
        result = query_step(&q, e);
    } while (result == QUERY_ROW);
    (void)query_end(&q);
    if (n != NULL)
        *n = result == QUERY_DONE ? (size_t)sqlite3_changes(a->db) : 0;
    return result;
}

enum accounts_result
query_change(struct accounts *a, const char *sql, const struct str *text,
             size_t n_text, struct err *e)
{
    size_t n;

    switch (query_run(a, sql, text, n_text, &n, e)) {
    case QUERY_DONE:
    case QUERY_ROW:
        return n > 0 ? ACCOUNTS_DONE : ACCOUNTS_MISSING;
    case QUERY_CLASH:
        return ACCOUNTS_EXISTS;
    case QUERY_FAILED:
        break;
    }
    return ACCOUNTS_TROUBLE;
}

static bool
run(struct accounts *a, const char *sql, struct err *e)
{
    return query_run(a, sql, NULL, 0, NULL, e) == QUERY_DONE;
}

bool
accounts_begin(struct accounts *a, struct err *e)
{
    return run(a, "BEGIN IMMEDIATE", e);
}

bool
accounts_commit(struct accounts *a, struct err *e)
{
    if (run(a, "COMMIT", e))
        return true;
    accounts_abort(a);
    return false;
}

void
accounts_abort(struct accounts *a)
{
    struct err ignored; // a failed commit may have ended it already
    (void)run(a, "ROLLBACK", &ignored);
}

static bool
prepare(struct accounts *a, struct err *e)
{
    (void)sqlite3_busy_timeout(a->db, BUSY_TIMEOUT_MS);
    return run(a, "PRAGMA journal_mode = WAL", e) &&
           run(a, "PRAGMA foreign_keys = ON", e) &&
           accounts_prepare_schema(a, e);
}

/* SQLite would make it readable to all; its files beside it get the mode of
 * this one. Never an existing one: closing our descriptor would drop the locks
 * that other connections of this process hold on it. */
static void
make_private(const char *path)
{
    const struct disk *disk = os_disk();
    int fd = disk->open(disk->self, -1, path,
                        DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    if (fd >= 0)
        (void)disk->close(disk->self, fd);
}

struct accounts *
accounts_open(const char *path, struct err *e)
{
    struct accounts *a = alloc_zero(sizeof *a);
    make_private(path);
    int rc = sqlite3_open_v2(
        path, &a->db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        (void)err_set(e, "accounts database %s: %s", path,
                      a->db == NULL ? sqlite3_errstr(rc)
                                    : sqlite3_errmsg(a->db));
    else if (prepare(a, e))
        return a;
    accounts_close(a);
    return NULL;
}

void
accounts_close(struct accounts *a)
{
    if (a == NULL)
        return;
    int rc = sqlite3_close(a->db);
    assert(rc == SQLITE_OK); // no statement was left open
    free(a);
}

struct str
accounts_domain_of(struct str key)
{
    ssize_t at = str_rfind_char(key, '@');
    return at < 0 ? STR_EMPTY : str_from_pos(key, (size_t)at + 1);
}
