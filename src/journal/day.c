/* SPDX-License-Identifier: ISC */
#include "journal/day.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "journal/terms.h"
#include "journal/words.h"
#include "os/disk.h"
#include "os/sandbox.h"

enum {
    BLOCK_EVENTS = 8192,              /* a block is closed, */
    ENOUGH_EVENTS = BLOCK_EVENTS / 2, /* at the end of a transaction already */
    MERGED_BLOCKS = 16,
    REPEAT_BLOCKS = 64, /* an incident is not looked for further back */
};

enum statement {
    ADD_EVENT = 0,
    FIND_WORD,
    COUNT_REPEAT,
    PUT_SOURCE,
    ADD_GAP,
    PUT_COUNTER,
    FIND_SOURCE,
    STATEMENTS
};

struct day {
    sqlite3 *db;
    int64_t number;
    uint64_t seed, counter;
    sqlite3_stmt *s[STATEMENTS];
    struct words_block block; /* the open one */
    struct words_block part;  /* what this transaction adds to it */
    struct buf words;         /* of the open block, struct word */
    size_t kept;              /* octets of these that are in the file */
    int64_t small;            /* blocks before it that are not merged */
    bool open;                /* a transaction */
    bool stale;               /* the above is not what the file says */
};

static const char *const texts[STATEMENTS] = {
    [COUNT_REPEAT] = ("UPDATE event SET count = min(count + ?1, 4294967295),"
                      " until_ms = max(until_ms, ?2)"
                      " WHERE id = ?3 AND incident = ?4"),
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
check_schema(sqlite3 *db, struct err *e, bool *foreign)
{
    int64_t version;

    if (!sql_number(db, "PRAGMA user_version", &version, e))
        return false;
    if (version == 0)
        return make_schema(db, e);
    *foreign = version != ROWS_VERSION;
    if (*foreign)
        return err_set(
            e, "%s: its tables are version %" PRId64 ", expected version %d",
            sqlite3_db_filename(db, "main"), version, ROWS_VERSION);
    return true;
}

static bool
prepare(struct day *d, struct err *e)
{
    struct buf insert = {0};

    rows_add_insert(&insert);
    bool ok = sql_prepare(d->db, buf_cstr(&insert), &d->s[ADD_EVENT], e) &&
              words_prepare_find(d->db, &d->s[FIND_WORD], e);
    buf_fini(&insert);
    for (size_t i = 0; ok && i < STATEMENTS; i++)
        if (texts[i] != NULL)
            ok = sql_prepare(d->db, texts[i], &d->s[i], e);
    return ok;
}

/* Where the last committed transaction has stopped. */
static bool
read_state(struct day *d, struct err *e)
{
    int64_t counter;

    if (!sql_number(d->db, "SELECT counter FROM meta", &counter, e) ||
        !words_read_fresh(d->db, &d->block, &d->words, e) ||
        !sql_number(d->db, "SELECT max(number) + 1 FROM block",
                    &d->block.number, e) ||
        !sql_number(d->db, "SELECT count(*) FROM block WHERE level = 0",
                    &d->small, e))
        return false;
    d->counter = (uint64_t)counter;
    d->kept = d->words.n;
    d->part = (struct words_block){0};
    d->stale = false;
    return true;
}

static bool
load(struct day *d, struct err *e, bool *foreign)
{
    int64_t seed;

    if (!sql_run(d->db,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                 "PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;"
                 "PRAGMA wal_autocheckpoint = 4000",
                 e) ||
        !check_schema(d->db, e, foreign) || !prepare(d, e) ||
        !read_state(d, e) ||
        !sql_number(d->db, "SELECT seed FROM meta", &seed, e))
        return false;
    d->seed = (uint64_t)seed;
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
    if (d->db != NULL && load(d, e, damaged))
        return d;
    if (d->db != NULL)
        *damaged = *damaged || sql_is_damaged(d->db);
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
    buf_fini(&d->words);
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
    d->open = sql_run(d->db, "BEGIN IMMEDIATE", e);
    if (d->open && d->stale && !read_state(d, e))
        day_abort(d);
    return d->open;
}

void
day_abort(struct day *d)
{
    if (!d->open)
        return;
    d->open = false; // a failed statement may have ended it already
    (void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    d->stale = true;
}

/* ---- words ----------------------------------------------------------------
 */

static const struct word *
list_of(const struct day *d)
{
    return (const struct word *)(const void *)d->words.p;
}

/* A look-up costs a descent a block: small ones do not pile up. */
static bool
merge_small(struct day *d, struct err *e)
{
    if (d->small < MERGED_BLOCKS)
        return true;
    if (!words_merge(d->db, d->block.number - d->small, d->block.number, e))
        return false;
    d->block.number++;
    d->small = 0;
    return true;
}

static bool
close_block(struct day *d, struct err *e)
{
    if (!words_close_block(d->db, &d->block, list_of(d),
                           d->words.n / sizeof(struct word), e))
        return false;
    buf_clear(&d->words);
    d->kept = 0;
    d->block = (struct words_block){.number = d->block.number + 1};
    d->part = (struct words_block){0};
    d->small++;
    return merge_small(d, e);
}

/* What the next journal must know of the open block, should this one die. */
static bool
keep_block(struct day *d, struct err *e)
{
    if (d->block.events >= ENOUGH_EVENTS)
        return close_block(d, e);
    if (d->part.events == 0)
        return true;
    if (!words_add_fresh(d->db, &d->part,
                         list_of(d) + d->kept / sizeof(struct word),
                         (d->words.n - d->kept) / sizeof(struct word), e))
        return false;
    d->kept = d->words.n;
    d->part = (struct words_block){0};
    return true;
}

static void
add_words(struct day *d, const struct row *r)
{
    uint64_t hashes[TERMS_MAX];
    size_t n = terms_of(&r->e, d->seed, hashes);

    for (size_t i = 0; i < n; i++) {
        const struct word one = words_make(hashes[i], r->id);
        buf_add(&d->words, str_from_n(&one, sizeof one));
    }
}

static void
count_event(struct words_block *b, int64_t at_ms)
{
    if (b->events == 0 || at_ms < b->from_ms)
        b->from_ms = at_ms;
    if (b->events == 0 || at_ms > b->until_ms)
        b->until_ms = at_ms;
    b->events++;
}

/* ---- events ---------------------------------------------------------------
 */

bool
day_add(struct day *d, struct row *r, struct err *e)
{
    assert(d->open);
    if (d->block.events >= BLOCK_EVENTS && !close_block(d, e))
        return false;
    r->id = rows_id(r->e.at_ms, d->number, d->counter++);
    rows_bind(d->s[ADD_EVENT], r);
    if (!sql_finish(d->s[ADD_EVENT], e))
        return false;
    add_words(d, r);
    count_event(&d->block, r->e.at_ms);
    count_event(&d->part, r->e.at_ms);
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

/* In the open block: what is repeated is mostly young. */
static bool
repeat_open(struct day *d, uint64_t hash, const struct journal_event *e,
            bool *found, struct err *why)
{
    const struct word *list = list_of(d);

    for (size_t i = d->words.n / sizeof *list; i > 0 && !*found; i--)
        if (words_is(&list[i - 1], hash) &&
            !count_at(d, words_id(&list[i - 1]), e, found, why))
            return false;
    return true;
}

static bool
repeat_in(struct day *d, int64_t block, uint64_t hash,
          const struct journal_event *e, bool *found, struct err *why)
{
    struct buf ids = {0};
    bool ok = words_find(d->s[FIND_WORD], block, hash, 0, INT64_MAX, &ids, why);
    const int64_t *list = (const int64_t *)(const void *)ids.p;

    for (size_t i = ids.n / sizeof *list; ok && i > 0 && !*found; i--)
        ok = count_at(d, list[i - 1], e, found, why);
    buf_fini(&ids);
    return ok;
}

bool
day_repeat(struct day *d, const struct journal_event *e, bool *found,
           struct err *why)
{
    uint64_t hash = terms_hash(d->seed, TERM_ID, e->incident);
    int64_t last = d->block.number;

    assert(d->open);
    *found = false;
    bool ok = repeat_open(d, hash, e, found, why);
    for (int64_t b = last - 1;
         ok && b >= 0 && b >= last - REPEAT_BLOCKS && !*found; b--)
        ok = repeat_in(d, b, hash, e, found, why);
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
    if (!keep_block(d, e) || !sql_finish(d->s[PUT_COUNTER], e) ||
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
