/* SPDX-License-Identifier: ISC */
#include "journal/seal.h"

#include "journal/filter.h"
#include "journal/rows.h"
#include "journal/words.h"

/* The open block is closed, and all blocks become one. */
static bool
merge_all(sqlite3 *db, struct err *e)
{
    struct words_block open = {0};
    struct buf list = {0};
    int64_t next, blocks;
    bool ok = words_read_fresh(db, &open, &list, e) &&
              sql_number(db, "SELECT max(number) + 1 FROM block", &next, e);

    if (ok && open.events > 0) {
        open.number = next++;
        ok = words_close_block(db, &open,
                               (const struct word *)(const void *)list.p,
                               list.n / sizeof(struct word), e);
    }
    buf_fini(&list);
    return ok && sql_number(db, "SELECT count(*) FROM block", &blocks, e) &&
           (blocks < 2 || words_merge(db, 0, next, e)) &&
           sql_run(db, "UPDATE meta SET sealed = 1", e);
}

static bool
merge_once(sqlite3 *db, struct err *e)
{
    int64_t sealed;

    if (!sql_number(db, "SELECT sealed FROM meta", &sealed, e))
        return false;
    if (sealed != 0)
        return true;
    if (!sql_run(db,
                 "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768;"
                 "BEGIN IMMEDIATE",
                 e))
        return false;
    if (merge_all(db, e) && sql_run(db, "COMMIT", e))
        return true;
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool
put_in_order(sqlite3 *db, const char *path, struct err *e)
{
    int64_t version, seed, gaps;

    if (!sql_number(db, "PRAGMA user_version", &version, e))
        return false;
    if (version != ROWS_VERSION)
        return true; // another Gatepost's: not ours to change
    if (!merge_once(db, e))
        return false;
    /* One file instead of three. While somebody reads it stays as it is, and
     * the next time, a day later, it is tried again. */
    (void)sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return sql_number(db, "SELECT seed FROM meta", &seed, e) &&
           sql_number(db, "SELECT EXISTS (SELECT 1 FROM gap)", &gaps, e) &&
           filter_write(db, path, (uint64_t)seed, gaps != 0, e);
}

static bool
is_in_order(const char *path)
{
    struct filter f;

    filter_open(&f, path);
    bool is = f.fd >= 0;
    filter_close(&f);
    return is;
}

bool
seal_day(const char *path, struct err *e)
{
    bool damaged;

    if (is_in_order(path))
        return true;
    sqlite3 *db = sql_open(path, SQLITE_OPEN_READWRITE, e, &damaged);
    if (db == NULL)
        return false;
    bool ok = put_in_order(db, path, e);
    sql_close(db);
    return ok;
}
