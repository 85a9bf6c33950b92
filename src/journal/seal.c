/* SPDX-License-Identifier: ISC */
#include "journal/seal.h"

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
put_in_order(sqlite3 *db, struct err *e)
{
    int64_t version, sealed;

    if (!sql_number(db, "PRAGMA user_version", &version, e))
        return false;
    if (version != ROWS_VERSION)
        return true; // another Gatepost's: not ours to change
    if (!sql_number(db, "SELECT sealed FROM meta", &sealed, e))
        return false;
    if (sealed != 0)
        return true;
    if (!sql_run(db, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768",
                 e))
        return false;
    if (!sql_run(db, "BEGIN IMMEDIATE", e))
        return false;
    if (!merge_all(db, e) || !sql_run(db, "COMMIT", e)) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    /* One file instead of three; while somebody reads it stays as it is. */
    (void)sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return true;
}

bool
seal_day(const char *path, struct err *e)
{
    bool damaged;
    sqlite3 *db = sql_open(path, SQLITE_OPEN_READWRITE, e, &damaged);

    if (db == NULL)
        return false;
    bool ok = put_in_order(db, e);
    sql_close(db);
    return ok;
}
