/* SPDX-License-Identifier: ISC */
#include "journal/words.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/wire.h"

enum {
    ID_BITS = 47,
    LOW_BITS = 17,
    HIGH_BITS = 10,
    HASH_BITS = HIGH_BITS + LOW_BITS,
    BUCKETS = 1 << HIGH_BITS,
    ENTRY = 8,
    FRESH_ENTRY = 2 + ENTRY,
    ROW_OCTETS = 1792, /* two such rows fill a page */
};

#define ID_MASK ((UINT64_C(1) << ID_BITS) - 1)

/* ---- entries --------------------------------------------------------------
 */

uint32_t
words_short(uint64_t hash)
{
    return (uint32_t)(hash >> (64 - HASH_BITS));
}

static uint64_t
low_part(uint64_t hash)
{
    return words_short(hash) & ((1U << LOW_BITS) - 1);
}

/* A number that no writer gave is some other block's. */
static int64_t
key_of(int64_t block, uint64_t hash)
{
    return (int64_t)((uint64_t)block << HASH_BITS | hash);
}

struct word
words_make(uint64_t hash, int64_t id)
{
    return (struct word){.entry = low_part(hash) << ID_BITS |
                                  ((uint64_t)id & ID_MASK),
                         .bucket = words_short(hash) >> LOW_BITS};
}

bool
words_is(const struct word *w, uint64_t hash)
{
    return w->bucket == words_short(hash) >> LOW_BITS &&
           w->entry >> ID_BITS == low_part(hash);
}

int64_t
words_id(const struct word *w)
{
    return (int64_t)(w->entry & ID_MASK);
}

static int
compare_entries(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t
entry_at(const unsigned char *p, size_t i)
{
    struct wire w = {.p = p + i * ENTRY, .n = ENTRY};
    return wire_u64(&w);
}

/* ---- the open block -------------------------------------------------------
 */

bool
words_add_fresh(sqlite3 *db, const struct words_block *part,
                const struct word *list, size_t n, struct err *e)
{
    struct buf entries = {0};
    sqlite3_stmt *s;

    if (!sql_prepare(db,
                     "INSERT INTO fresh (events, from_ms, until_ms, entries)"
                     " VALUES (?, ?, ?, ?)",
                     &s, e))
        return false;
    (void)buf_reserve(&entries, n * FRESH_ENTRY);
    for (size_t i = 0; i < n; i++) {
        wire_add_u16(&entries, (uint16_t)list[i].bucket);
        wire_add_u64(&entries, list[i].entry);
    }
    (void)sqlite3_bind_int64(s, 1, part->events);
    (void)sqlite3_bind_int64(s, 2, part->from_ms);
    (void)sqlite3_bind_int64(s, 3, part->until_ms);
    sql_bind_bytes(s, 4, buf_str(&entries));
    bool ok = sql_finish(s, e);
    (void)sqlite3_finalize(s);
    buf_fini(&entries);
    return ok;
}

static void
take_part(sqlite3_stmt *s, struct words_block *b, struct buf *list)
{
    int64_t from_ms = sqlite3_column_int64(s, 1),
            until_ms = sqlite3_column_int64(s, 2);
    struct wire w = wire_from(sql_bytes(s, 3));

    if (b->events == 0 || from_ms < b->from_ms)
        b->from_ms = from_ms;
    if (b->events == 0 || until_ms > b->until_ms)
        b->until_ms = until_ms;
    b->events += sqlite3_column_int64(s, 0);
    (void)buf_reserve(list, w.n / FRESH_ENTRY * sizeof(struct word));
    while (w.n >= FRESH_ENTRY) {
        struct word one = {.bucket = wire_u16(&w) % BUCKETS};
        one.entry = wire_u64(&w);
        buf_add(list, str_from_n(&one, sizeof one));
    }
}

bool
words_read_fresh(sqlite3 *db, struct words_block *b, struct buf *list,
                 struct err *e)
{
    sqlite3_stmt *s;
    int rc;

    b->events = b->from_ms = b->until_ms = 0;
    buf_clear(list);
    if (!sql_prepare(db,
                     "SELECT events, from_ms, until_ms, entries FROM fresh"
                     " ORDER BY number",
                     &s, e))
        return false;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        take_part(s, b, list);
    bool ok = rc == SQLITE_DONE || sql_failed(db, e);
    (void)sqlite3_finalize(s);
    return ok;
}

/* ---- writing rows ---------------------------------------------------------
 */

/* One block, bucket after bucket. */
struct writer {
    sqlite3_stmt *insert;
    int64_t block;
    struct buf row;
};

static bool
open_writer(struct writer *w, sqlite3 *db, int64_t block, struct err *e)
{
    *w = (struct writer){.block = block};
    return sql_prepare(db, "INSERT INTO words VALUES (?, ?)", &w->insert, e);
}

static void
close_writer(struct writer *w)
{
    (void)sqlite3_finalize(w->insert);
    buf_fini(&w->row);
}

static bool
write_row(struct writer *w, uint32_t bucket, uint64_t first, struct err *e)
{
    uint64_t hash = (uint64_t)bucket << LOW_BITS | first >> ID_BITS;

    if (w->row.n == 0)
        return true;
    (void)sqlite3_bind_int64(w->insert, 1, key_of(w->block, hash));
    sql_bind_bytes(w->insert, 2, buf_str(&w->row));
    bool ok = sql_finish(w->insert, e);
    buf_clear(&w->row);
    return ok;
}

static bool
write_bucket(struct writer *w, uint32_t bucket, uint64_t *list, size_t n,
             struct err *e)
{
    uint64_t first = 0;

    if (n > 1)
        qsort(list, n, sizeof *list, compare_entries);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && list[i] == list[i - 1])
            continue; // a word that the event holds twice
        if (w->row.n >= ROW_OCTETS &&
            list[i] >> ID_BITS != list[i - 1] >> ID_BITS &&
            !write_row(w, bucket, first, e))
            return false;
        if (w->row.n == 0)
            first = list[i];
        wire_add_u64(&w->row, list[i]);
    }
    return write_row(w, bucket, first, e);
}

static bool
put_block(sqlite3 *db, const struct words_block *b, struct err *e)
{
    sqlite3_stmt *s;

    if (!sql_prepare(db, "INSERT INTO block VALUES (?, 0, ?, ?, ?)", &s, e))
        return false;
    (void)sqlite3_bind_int64(s, 1, b->number);
    (void)sqlite3_bind_int64(s, 2, b->events);
    (void)sqlite3_bind_int64(s, 3, b->from_ms);
    (void)sqlite3_bind_int64(s, 4, b->until_ms);
    bool ok = sql_finish(s, e);
    (void)sqlite3_finalize(s);
    return ok;
}

static bool
write_sorted(struct writer *w, const struct word *list, size_t n, struct err *e)
{
    size_t *end = alloc_array(BUCKETS + 1, sizeof *end);
    uint64_t *sorted = alloc_array(n + 1, sizeof *sorted);
    bool ok = true;

    for (size_t i = 0; i <= BUCKETS; i++)
        end[i] = 0;
    for (size_t i = 0; i < n; i++)
        end[list[i].bucket + 1]++;
    for (size_t i = 0; i < BUCKETS; i++)
        end[i + 1] += end[i];
    // end[b] is where bucket b begins; filling it moves that to its end.
    for (size_t i = 0; i < n; i++)
        sorted[end[list[i].bucket]++] = list[i].entry;
    for (uint32_t b = 0; ok && b < BUCKETS; b++) {
        size_t from = b == 0 ? 0 : end[b - 1];
        ok = write_bucket(w, b, sorted + from, end[b] - from, e);
    }
    free(sorted);
    free(end);
    return ok;
}

bool
words_close_block(sqlite3 *db, const struct words_block *b,
                  const struct word *list, size_t n, struct err *e)
{
    struct writer w;

    if (!open_writer(&w, db, b->number, e))
        return false;
    bool ok = write_sorted(&w, list, n, e) && put_block(db, b, e) &&
              sql_run(db, "DELETE FROM fresh", e);
    close_writer(&w);
    return ok;
}

/* ---- merging --------------------------------------------------------------
 */

/* A block on its way into a larger one, row by row. */
struct reader {
    sqlite3_stmt *s;
    int64_t key; /* of its row; INT64_MAX: no more */
};

static bool
step_reader(struct reader *r, struct err *e)
{
    int rc = sqlite3_step(r->s);

    r->key = rc == SQLITE_ROW ? sqlite3_column_int64(r->s, 0) : INT64_MAX;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ||
           sql_failed(sqlite3_db_handle(r->s), e);
}

static bool
open_reader(struct reader *r, sqlite3 *db, int64_t block, struct err *e)
{
    if (!sql_prepare(db,
                     "SELECT key, entries FROM words"
                     " WHERE key >= ? AND key < ? ORDER BY key",
                     &r->s, e))
        return false;
    (void)sqlite3_bind_int64(r->s, 1, key_of(block, 0));
    (void)sqlite3_bind_int64(r->s, 2, key_of(block + 1, 0));
    return step_reader(r, e);
}

static bool
take_bucket(struct reader *r, uint32_t bucket, struct buf *list, struct err *e)
{
    while (r->key != INT64_MAX && (r->key >> LOW_BITS) % BUCKETS == bucket) {
        struct wire w = wire_from(sql_bytes(r->s, 1));
        (void)buf_reserve(list, w.n);
        while (w.n >= ENTRY) {
            uint64_t entry = wire_u64(&w);
            buf_add(list, str_from_n(&entry, sizeof entry));
        }
        if (!step_reader(r, e))
            return false;
    }
    return true;
}

static bool
merge_readers(struct reader *readers, size_t n, struct writer *w, struct err *e)
{
    struct buf list = {0};
    bool ok = true;

    for (uint32_t b = 0; ok && b < BUCKETS; b++) {
        buf_clear(&list);
        for (size_t i = 0; ok && i < n; i++)
            ok = take_bucket(&readers[i], b, &list, e);
        ok = ok && write_bucket(w, b, (uint64_t *)(void *)list.p,
                                list.n / sizeof(uint64_t), e);
    }
    buf_fini(&list);
    return ok;
}

static bool
merge_words(sqlite3 *db, const int64_t *blocks, size_t n, struct writer *w,
            struct err *e)
{
    struct reader *readers = alloc_array(n + 1, sizeof *readers);
    bool ok = true;
    size_t opened = 0;

    for (; ok && opened < n; opened++)
        ok = open_reader(&readers[opened], db, blocks[opened], e);
    ok = ok && merge_readers(readers, n, w, e);
    for (size_t i = 0; i < opened; i++)
        (void)sqlite3_finalize(readers[i].s);
    free(readers);
    return ok;
}

static bool
list_blocks(sqlite3 *db, int64_t first, int64_t target, struct buf *list,
            struct err *e)
{
    sqlite3_stmt *s;
    int rc;

    if (!sql_prepare(db,
                     "SELECT number FROM block WHERE number >= ?"
                     " AND number < ? ORDER BY number",
                     &s, e))
        return false;
    (void)sqlite3_bind_int64(s, 1, first);
    (void)sqlite3_bind_int64(s, 2, target);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t number = sqlite3_column_int64(s, 0);
        buf_add(list, str_from_n(&number, sizeof number));
    }
    bool ok = rc == SQLITE_DONE || sql_failed(db, e);
    (void)sqlite3_finalize(s);
    return ok;
}

/* Runs a statement about the blocks of a merge: first, target, and their keys.
 */
static bool
run_about(sqlite3 *db, const char *text, int64_t first, int64_t target,
          struct err *e)
{
    sqlite3_stmt *s;

    if (!sql_prepare(db, text, &s, e))
        return false;
    (void)sqlite3_bind_int64(s, 1, first);
    (void)sqlite3_bind_int64(s, 2, target);
    bool ok = sql_finish(s, e);
    (void)sqlite3_finalize(s);
    return ok;
}

bool
words_merge(sqlite3 *db, int64_t first, int64_t target, struct err *e)
{
    struct buf blocks = {0};
    struct writer w;

    if (!open_writer(&w, db, target, e))
        return false;
    bool ok =
        list_blocks(db, first, target, &blocks, e) &&
        merge_words(db, (const int64_t *)(const void *)blocks.p,
                    blocks.n / sizeof(int64_t), &w, e) &&
        run_about(db,
                  "INSERT INTO block SELECT ?2, 1, sum(events),"
                  " min(from_ms), max(until_ms) FROM block"
                  " WHERE number >= ?1 AND number < ?2",
                  first, target, e) &&
        run_about(db, "DELETE FROM block WHERE number >= ?1 AND number < ?2",
                  first, target, e) &&
        run_about(db, "DELETE FROM words WHERE key >= ?1 AND key < ?2",
                  key_of(first, 0), key_of(target, 0), e);
    close_writer(&w);
    buf_fini(&blocks);
    return ok;
}

/* ---- finding --------------------------------------------------------------
 */

bool
words_prepare_find(sqlite3 *db, sqlite3_stmt **s, struct err *e)
{
    return sql_prepare(db,
                       "SELECT key, entries FROM words WHERE key <= ?"
                       " ORDER BY key DESC LIMIT 1",
                       s, e);
}

static void
take_ids(struct str row, uint64_t from, uint64_t to, struct buf *ids)
{
    const unsigned char *p = (const unsigned char *)row.p;
    size_t low = 0, high = row.n / ENTRY, n = high;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(p, middle) < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n; low++) {
        uint64_t entry = entry_at(p, low);
        int64_t id = (int64_t)(entry & ID_MASK);
        if (entry > to)
            break;
        buf_add(ids, str_from_n(&id, sizeof id));
    }
}

bool
words_find(sqlite3_stmt *s, int64_t block, uint64_t hash, int64_t first,
           int64_t last, struct buf *ids, struct err *e)
{
    int64_t key = key_of(block, words_short(hash));

    (void)sqlite3_bind_int64(s, 1, key);
    int rc = sqlite3_step(s);
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE ||
              sql_failed(sqlite3_db_handle(s), e);
    if (rc == SQLITE_ROW &&
        sqlite3_column_int64(s, 0) >> LOW_BITS == key >> LOW_BITS)
        take_ids(sql_bytes(s, 1), low_part(hash) << ID_BITS | (uint64_t)first,
                 low_part(hash) << ID_BITS | ((uint64_t)last & ID_MASK), ids);
    (void)sqlite3_reset(s);
    return ok;
}

static void
mark_row(int64_t key, struct str row, unsigned char *bits, uint64_t *n)
{
    uint64_t bucket = ((uint64_t)key >> LOW_BITS) % BUCKETS;

    for (size_t i = 0; i < row.n / ENTRY; i++) {
        uint64_t low = entry_at((const unsigned char *)row.p, i) >> ID_BITS;
        uint64_t h = bucket << LOW_BITS | low;
        unsigned bit = 1U << h % 8;
        if ((bits[h / 8] & bit) == 0)
            ++*n;
        bits[h / 8] |= (unsigned char)bit;
    }
}

bool
words_mark(sqlite3 *db, unsigned char *bits, uint64_t *n, struct err *e)
{
    sqlite3_stmt *s;
    int rc;

    *n = 0;
    if (!sql_prepare(db, "SELECT key, entries FROM words", &s, e))
        return false;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        mark_row(sqlite3_column_int64(s, 0), sql_bytes(s, 1), bits, n);
    bool ok = rc == SQLITE_DONE || sql_failed(db, e);
    (void)sqlite3_finalize(s);
    return ok;
}
