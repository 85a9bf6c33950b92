/* SPDX-License-Identifier: ISC */
#include "journal/day.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "journal/terms.h"
#include "os/disk.h"
#include "os/sandbox.h"

enum {
    BLOCK_EVENTS = 8192,
    REPEAT_BLOCKS = 64, /* an incident is not looked for further back */
};

enum statement {
    ADD_EVENT = 0,
    ADD_TERM,
    FIND_INCIDENT,
    COUNT_REPEAT,
    PUT_BLOCK,
    PUT_SOURCE,
    ADD_GAP,
    PUT_COUNTER,
    FIND_SOURCE,
    STATEMENTS
};

/* An event's word, on its way into the table `term`. */
struct entry {
    int64_t hash, id;
};

struct day {
    sqlite3 *db;
    int64_t number;
    uint64_t seed, counter;
    sqlite3_stmt *s[STATEMENTS];
    struct { /* as in the file, and what this transaction adds */
        int64_t number, events, from_ms, until_ms;
    } block, old_block;
    uint64_t old_counter;
    struct buf terms; /* of struct entry: those of this transaction */
    bool open;        /* a transaction */
};

static const char *const texts[STATEMENTS] = {
    [ADD_TERM] = "INSERT OR IGNORE INTO term VALUES (?, ?, ?)",
    [FIND_INCIDENT] = "SELECT id FROM term WHERE block = ? AND hash = ?",
    [COUNT_REPEAT] = ("UPDATE event SET count = min(count + ?1, 4294967295),"
                      " until_ms = max(until_ms, ?2)"
                      " WHERE id = ?3 AND incident = ?4"),
    [PUT_BLOCK] = "INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?)",
    [PUT_SOURCE] = "INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?)",
    [ADD_GAP] = "INSERT INTO gap VALUES (?, ?, ?, ?)",
    [PUT_COUNTER] = "UPDATE meta SET counter = ?",
    [FIND_SOURCE] = "SELECT next FROM source WHERE incarnation = ?",
};

/* SQLite would make it readable to all. */
static void
make_private(const char *path)
{
    const struct disk *disk = os_disk();
    int fd = disk->open(disk->self, -1, path,
                        DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    if (fd >= 0)
        (void)disk->close(disk->self, fd);
}

static bool
make_schema(sqlite3 *db, struct err *e)
{
    struct buf sql = {0};
    uint64_t seed;

    sandbox_random(&seed, sizeof seed);
    buf_add(&sql, STR("BEGIN IMMEDIATE;"));
    rows_add_schema(&sql);
    buf_addf(&sql, "INSERT INTO meta VALUES (%" PRId64 ", 0, 0); COMMIT;",
             (int64_t)(seed >> 1));
    bool ok = sql_run(db, buf_cstr(&sql), e);
    if (!ok)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    buf_fini(&sql);
    return ok;
}

static bool
check_schema(sqlite3 *db, struct err *e)
{
    int64_t version;

    if (!sql_number(db, "PRAGMA user_version", &version, e))
        return false;
    if (version == 0)
        return make_schema(db, e);
    if (version != ROWS_VERSION)
        return err_set(
            e, "%s: its tables are version %" PRId64 ", expected version %d",
            sqlite3_db_filename(db, "main"), version, ROWS_VERSION);
    return true;
}

static bool
prepare(struct day *d, struct err *e)
{
    struct buf insert = {0};
    bool ok = true;

    rows_add_insert(&insert);
    for (size_t i = 0; ok && i < STATEMENTS; i++)
        ok = sql_prepare(d->db, i == ADD_EVENT ? buf_cstr(&insert) : texts[i],
                         &d->s[i], e);
    buf_fini(&insert);
    return ok;
}

static bool
read_block(struct day *d, struct err *e)
{
    sqlite3_stmt *s;

    if (!sql_prepare(d->db, "SELECT * FROM block ORDER BY number DESC LIMIT 1",
                     &s, e))
        return false;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        d->block.number = sqlite3_column_int64(s, 0);
        d->block.events = sqlite3_column_int64(s, 1);
        d->block.from_ms = sqlite3_column_int64(s, 2);
        d->block.until_ms = sqlite3_column_int64(s, 3);
    }
    (void)sqlite3_finalize(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || sql_failed(d->db, e);
}

static bool
load(struct day *d, struct err *e)
{
    int64_t seed, counter;

    if (!sql_run(d->db,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                 "PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;"
                 "PRAGMA wal_autocheckpoint = 4000",
                 e) ||
        !check_schema(d->db, e) || !prepare(d, e) || !read_block(d, e) ||
        !sql_number(d->db, "SELECT seed FROM meta", &seed, e) ||
        !sql_number(d->db, "SELECT counter FROM meta", &counter, e))
        return false;
    d->seed = (uint64_t)seed;
    d->counter = (uint64_t)counter;
    /* It was closed too early, or the clock went back. */
    return sql_run(d->db, "UPDATE meta SET sealed = 0 WHERE sealed = 1", e);
}

struct day *
day_open(const char *path, int64_t number, struct err *e, bool *damaged)
{
    struct day *d = alloc_zero(sizeof *d);

    make_private(path);
    d->number = number;
    d->db =
        sql_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e, damaged);
    if (d->db != NULL && load(d, e))
        return d;
    if (d->db != NULL)
        *damaged = sql_is_damaged(d->db);
    day_close(d);
    return NULL;
}

void
day_close(struct day *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(d->s[i]);
    if (d->db != NULL)
        sql_close(d->db);
    buf_fini(&d->terms);
    free(d);
}

int64_t
day_number(const struct day *d)
{
    return d->number;
}

bool
day_is_damaged(const struct day *d)
{
    return sql_is_damaged(d->db);
}

bool
day_begin(struct day *d, struct err *e)
{
    if (d->open)
        return true;
    d->old_block = d->block;
    d->old_counter = d->counter;
    buf_clear(&d->terms);
    d->open = sql_run(d->db, "BEGIN IMMEDIATE", e);
    return d->open;
}

void
day_abort(struct day *d)
{
    if (!d->open)
        return;
    d->open = false; // a failed statement may have ended it already
    (void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    d->block = d->old_block;
    d->counter = d->old_counter;
}

/* ---- words ----------------------------------------------------------------
 */

static int
compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* In their own order: neighbours share a page. */
static bool
write_terms(struct day *d, struct err *e)
{
    size_t n = d->terms.n / sizeof(struct entry);
    struct entry *list = (struct entry *)(void *)d->terms.p;
    sqlite3_stmt *s = d->s[ADD_TERM];

    if (n == 0)
        return true;
    qsort(list, n, sizeof *list, compare_entries);
    for (size_t i = 0; i < n; i++) {
        (void)sqlite3_bind_int64(s, 1, d->block.number);
        (void)sqlite3_bind_int64(s, 2, list[i].hash);
        (void)sqlite3_bind_int64(s, 3, list[i].id);
        if (!sql_finish(s, e))
            return false;
    }
    buf_clear(&d->terms);
    s = d->s[PUT_BLOCK];
    (void)sqlite3_bind_int64(s, 1, d->block.number);
    (void)sqlite3_bind_int64(s, 2, d->block.events);
    (void)sqlite3_bind_int64(s, 3, d->block.from_ms);
    (void)sqlite3_bind_int64(s, 4, d->block.until_ms);
    return sql_finish(s, e);
}

static void
keep_terms(struct day *d, const struct row *r)
{
    int64_t hashes[TERMS_MAX];
    size_t n = terms_of(&r->e, d->seed, hashes);

    for (size_t i = 0; i < n; i++) {
        const struct entry x = {.hash = hashes[i], .id = r->id};
        buf_add(&d->terms, str_from_n(&x, sizeof x));
    }
}

static bool
enter_block(struct day *d, int64_t at_ms, struct err *e)
{
    if (d->block.events >= BLOCK_EVENTS) {
        if (!write_terms(d, e))
            return false;
        d->block.number++;
        d->block.events = 0;
    }
    if (d->block.events == 0)
        d->block.from_ms = d->block.until_ms = at_ms;
    if (at_ms < d->block.from_ms)
        d->block.from_ms = at_ms;
    if (at_ms > d->block.until_ms)
        d->block.until_ms = at_ms;
    d->block.events++;
    return true;
}

/* ---- events ---------------------------------------------------------------
 */

bool
day_add(struct day *d, struct row *r, struct err *e)
{
    assert(d->open);
    if (!enter_block(d, r->e.at_ms, e))
        return false;
    r->id = rows_id(r->e.at_ms, d->number, d->counter++);
    rows_bind(d->s[ADD_EVENT], r);
    if (!sql_finish(d->s[ADD_EVENT], e))
        return false;
    keep_terms(d, r);
    return true;
}

static bool
count_at(struct day *d, int64_t id, const struct journal_event *e, bool *found,
         struct err *why)
{
    sqlite3_stmt *s = d->s[COUNT_REPEAT];

    (void)sqlite3_bind_int64(s, 1, e->count);
    (void)sqlite3_bind_int64(s, 2, e->at_ms);
    (void)sqlite3_bind_int64(s, 3, id);
    sql_bind_text(s, 4, e->incident);
    if (!sql_finish(s, why))
        return false;
    *found = sqlite3_changes(d->db) > 0;
    return true;
}

/* An incident of this very transaction has no words in the file yet. */
static bool
find_fresh(struct day *d, int64_t hash, const struct journal_event *e,
           bool *found, struct err *why)
{
    size_t n = d->terms.n / sizeof(struct entry);
    const struct entry *list = (const struct entry *)(const void *)d->terms.p;

    for (size_t i = n; i > 0 && !*found; i--)
        if (list[i - 1].hash == hash &&
            !count_at(d, list[i - 1].id, e, found, why))
            return false;
    return true;
}

bool
day_repeat(struct day *d, const struct journal_event *e, bool *found,
           struct err *why)
{
    int64_t hash = terms_hash(d->seed, TERM_ID, e->incident);
    sqlite3_stmt *s = d->s[FIND_INCIDENT];
    bool ok;

    assert(d->open);
    *found = false;
    ok = find_fresh(d, hash, e, found, why);
    for (int64_t b = d->block.number;
         ok && b >= 0 && b > d->block.number - REPEAT_BLOCKS && !*found; b--) {
        (void)sqlite3_bind_int64(s, 1, b);
        (void)sqlite3_bind_int64(s, 2, hash);
        int rc = sqlite3_step(s);
        int64_t id = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            ok = sql_failed(d->db, why);
        (void)sqlite3_reset(s);
        if (ok && rc == SQLITE_ROW)
            ok = count_at(d, id, e, found, why);
    }
    return ok;
}

bool
day_gap(struct day *d, const struct journal_event *gap, struct err *e)
{
    sqlite3_stmt *s = d->s[ADD_GAP];

    assert(d->open);
    (void)sqlite3_bind_int64(s, 1, gap->at_ms);
    (void)sqlite3_bind_int64(s, 2, gap->until_ms);
    (void)sqlite3_bind_int64(s, 3, gap->count);
    sql_bind_text(s, 4, gap->detail);
    return sql_finish(s, e);
}

bool
day_source(struct day *d, uint64_t incarnation, struct str room, uint32_t slot,
           uint64_t next, struct err *e)
{
    sqlite3_stmt *s = d->s[PUT_SOURCE];

    assert(d->open);
    (void)sqlite3_bind_int64(s, 1, (int64_t)incarnation);
    sql_bind_text(s, 2, room);
    (void)sqlite3_bind_int64(s, 3, slot);
    (void)sqlite3_bind_int64(s, 4, (int64_t)next);
    return sql_finish(s, e);
}

bool
day_commit(struct day *d, struct err *e)
{
    assert(d->open);
    (void)sqlite3_bind_int64(d->s[PUT_COUNTER], 1, (int64_t)d->counter);
    if (!write_terms(d, e) || !sql_finish(d->s[PUT_COUNTER], e) ||
        !sql_run(d->db, "COMMIT", e)) {
        day_abort(d);
        return false;
    }
    d->open = false;
    return true;
}

uint64_t
day_next(struct day *d, uint64_t incarnation)
{
    sqlite3_stmt *s = d->s[FIND_SOURCE];
    uint64_t next = 0;

    (void)sqlite3_bind_int64(s, 1, (int64_t)incarnation);
    if (sqlite3_step(s) == SQLITE_ROW)
        next = (uint64_t)sqlite3_column_int64(s, 0);
    (void)sqlite3_reset(s);
    return next;
}
