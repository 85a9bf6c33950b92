/* SPDX-License-Identifier: ISC */
#include "journal/seal.h"

#include "journal/rows.h"

/* The order of a WITHOUT ROWID table is that of its key: appending is all that
 * the last statement but three has to do. */
static const char in_order[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE sorted (block INTEGER NOT NULL, hash INTEGER NOT NULL,"
    " id INTEGER NOT NULL, PRIMARY KEY (block, hash, id))"
    " STRICT, WITHOUT ROWID;"
    "INSERT INTO sorted SELECT 0, hash, id FROM term ORDER BY hash, id;"
    "DROP TABLE term;"
    "ALTER TABLE sorted RENAME TO term;"
    "CREATE TEMP TABLE whole AS SELECT sum(events) AS events,"
    " min(from_ms) AS from_ms, max(until_ms) AS until_ms FROM block;"
    "DELETE FROM block;"
    "INSERT INTO block SELECT 0, events, from_ms, until_ms FROM whole"
    " WHERE events IS NOT NULL;"
    "UPDATE meta SET sealed = 1;"
    "COMMIT;";

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
    if (!sql_run(db, in_order, e)) {
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
