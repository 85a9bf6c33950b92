/* SPDX-License-Identifier: ISC */
#include "journal/history.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "journal/calendar.h"
#include "journal/rows.h"
#include "journal/terms.h"
#include "os/disk.h"

enum {
    WORDS_MAX = 7,     /* of a query */
    COMMON = 1000,     /* beyond this a word is as good as any other */
    NEVER = INT32_MAX, /* a day far away */
};

struct day_file {
    int64_t number;
    sqlite3 *db; /* NULL: not opened yet */
    uint64_t seed;
    bool unreadable;
};

struct history {
    struct arena arena;
    struct buf folder, problems;
    struct day_file *days; /* the newest first */
    size_t n_days, cap_days;
};

/* One walk through the days. */
struct walk {
    struct history *h;
    const struct history_query *query;
    int64_t since_ms, until_ms;
    history_fn fn;
    void *ctx;
    bool enough;
    bool begun; /* the beginning of the story was seen */
};

struct block {
    int64_t number, from_ms, until_ms;
};

/* ---- files ----------------------------------------------------------------
 */

static void
on_name(void *ctx, const char *name)
{
    struct history *h = ctx;
    int64_t number;

    if (!calendar_is_file(str_from(name), &number))
        return;
    if (h->n_days == h->cap_days) {
        h->cap_days = h->cap_days == 0 ? 32 : 2 * h->cap_days;
        h->days = alloc_resize(h->days, h->cap_days * sizeof *h->days);
    }
    h->days[h->n_days++] = (struct day_file){.number = number};
}

static int
newer_first(const void *a, const void *b)
{
    const struct day_file *x = a, *y = b;
    return x->number > y->number ? -1 : x->number < y->number;
}

struct history *
history_open(const char *folder, struct err *e)
{
    const struct disk *disk = os_disk();
    int dir = os_open_dir(folder);

    if (dir < 0 && errno != ENOENT) {
        (void)err_sys(e, "open", folder);
        return NULL;
    }
    struct history *h = alloc_zero(sizeof *h);
    buf_add(&h->folder, str_from(folder));
    if (dir < 0)
        return h;
    int rc = disk->list(disk->self, dir, on_name, h);
    if (rc < 0)
        (void)err_sys(e, "list", folder);
    (void)disk->close(disk->self, dir);
    if (rc < 0) {
        history_close(h);
        return NULL;
    }
    if (h->n_days > 0)
        qsort(h->days, h->n_days, sizeof *h->days, newer_first);
    return h;
}

void
history_close(struct history *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->n_days; i++)
        if (h->days[i].db != NULL)
            sql_close(h->days[i].db);
    arena_fini(&h->arena);
    buf_fini(&h->folder);
    buf_fini(&h->problems);
    free(h->days);
    free(h);
}

bool
history_is_empty(const struct history *h)
{
    return h->n_days == 0;
}

struct str
history_problems(const struct history *h)
{
    return buf_str(&h->problems);
}

static bool
set_unreadable(struct history *h, struct day_file *d, const struct err *e)
{
    if (!d->unreadable)
        buf_addf(&h->problems, "%s\n", e->text);
    d->unreadable = true;
    return false;
}

static bool
check(struct day_file *d, struct err *e)
{
    int64_t version, seed;

    if (!sql_run(d->db, "PRAGMA mmap_size = 1073741824", e) ||
        !sql_number(d->db, "PRAGMA user_version", &version, e))
        return false;
    if (version == 0) { // just made: nothing is in it
        d->seed = 0;
        return err_set(e, "%s: no tables yet",
                       sqlite3_db_filename(d->db, "main"));
    }
    if (version != ROWS_VERSION)
        return err_set(e, "%s: its tables are version %lld, expected %d",
                       sqlite3_db_filename(d->db, "main"), (long long)version,
                       ROWS_VERSION);
    if (!sql_number(d->db, "SELECT seed FROM meta", &seed, e))
        return false;
    d->seed = (uint64_t)seed;
    return true;
}

static bool
open_day(struct history *h, struct day_file *d)
{
    struct buf path = {0};
    struct err e;
    bool damaged;

    if (d->db != NULL || d->unreadable)
        return !d->unreadable;
    buf_addf(&path, "%.*s/", STR_ARG(buf_str(&h->folder)));
    calendar_add_name(&path, d->number);
    d->db = sql_open(buf_cstr(&path), SQLITE_OPEN_READONLY, &e, &damaged);
    bool ok = (d->db != NULL && check(d, &e)) || set_unreadable(h, d, &e);
    buf_fini(&path);
    return ok;
}

/* ---- one day --------------------------------------------------------------
 */

/* Runs a statement that gives rows of `event`. */
static bool
give_rows(struct walk *w, struct day_file *d, sqlite3_stmt *s)
{
    struct err e;
    int rc;

    while (!w->enough && (rc = sqlite3_step(s)) != SQLITE_DONE) {
        struct row r;
        if (rc != SQLITE_ROW) {
            (void)sql_failed(d->db, &e);
            return set_unreadable(w->h, d, &e);
        }
        rows_read(s, &r);
        struct history_event give = {.room = r.room, .slot = r.slot, .e = r.e};
        if (r.e.kind == JOURNAL_ACCEPTED)
            w->begun = true;
        if (r.e.at_ms >= w->since_ms && r.e.at_ms <= w->until_ms)
            w->enough = !w->fn(w->ctx, &give);
    }
    return true;
}

static bool
find_all(struct walk *w, struct day_file *d)
{
    struct buf sql = {0};
    sqlite3_stmt *s;
    struct err e;

    rows_add_select(&sql);
    buf_add(&sql, STR("WHERE id BETWEEN ? AND ? ORDER BY id DESC"));
    bool ok = sql_prepare(d->db, buf_cstr(&sql), &s, &e) ||
              set_unreadable(w->h, d, &e);
    buf_fini(&sql);
    if (!ok)
        return false;
    (void)sqlite3_bind_int64(s, 1, rows_first_id(w->since_ms, d->number));
    (void)sqlite3_bind_int64(s, 2, rows_id(w->until_ms, d->number, UINT64_MAX));
    ok = give_rows(w, d, s);
    (void)sqlite3_finalize(s);
    return ok;
}

static size_t
words_of(const struct history_query *q, uint64_t seed, int64_t out[WORDS_MAX])
{
    const struct {
        enum term kind;
        struct str text;
    } words[WORDS_MAX] = {
        {TERM_ID,        q->id       },
        {TERM_SENDER,    q->sender   },
        {TERM_RECIPIENT, q->recipient},
        {TERM_DOMAIN,    q->domain   },
        {TERM_CLIENT,    q->client   },
        {TERM_USER,      q->user     },
        {TERM_REASON,    q->reason   },
    };
    size_t n = 0;

    for (size_t i = 0; i < WORDS_MAX; i++)
        if (words[i].text.n > 0)
            out[n++] = terms_hash(seed, words[i].kind, words[i].text);
    return n;
}

/* The rarest word leads, the others are looked up for each of its events. */
static bool
lead_with_rarest(struct day_file *d, int64_t block, int64_t *words, size_t n,
                 struct err *e)
{
    sqlite3_stmt *s;
    int64_t least = INT64_MAX;
    size_t best = 0;
    bool ok = true;

    if (n < 2)
        return true;
    if (!sql_prepare(d->db,
                     "SELECT count(*) FROM (SELECT 1 FROM term WHERE"
                     " block = ? AND hash = ? LIMIT ?)",
                     &s, e))
        return false;
    for (size_t i = 0; ok && i < n && least > 0; i++) {
        (void)sqlite3_bind_int64(s, 1, block);
        (void)sqlite3_bind_int64(s, 2, words[i]);
        (void)sqlite3_bind_int64(s, 3, least < COMMON ? least : COMMON);
        ok = sqlite3_step(s) == SQLITE_ROW || sql_failed(d->db, e);
        int64_t count = ok ? sqlite3_column_int64(s, 0) : 0;
        if (count < least) {
            least = count;
            best = i;
        }
        (void)sqlite3_reset(s);
    }
    (void)sqlite3_finalize(s);
    int64_t first = words[0];
    words[0] = words[best];
    words[best] = first;
    return ok;
}

static bool
prepare_search(struct day_file *d, size_t n, sqlite3_stmt **s, struct err *e)
{
    struct buf sql = {0};

    buf_add(&sql, STR("SELECT e.* FROM term t CROSS JOIN event e"
                      " ON e.id = t.id WHERE t.block = ?1 AND t.hash = ?2"
                      " AND t.id BETWEEN ?3 AND ?4"));
    for (size_t i = 1; i < n; i++)
        buf_addf(&sql,
                 " AND EXISTS (SELECT 1 FROM term WHERE block = ?1"
                 " AND hash = ?%zu AND id = t.id)",
                 i + 4);
    buf_add(&sql, STR(" ORDER BY t.id DESC"));
    bool ok = sql_prepare(d->db, buf_cstr(&sql), s, e);
    buf_fini(&sql);
    return ok;
}

static size_t
blocks_of(struct walk *w, struct day_file *d, struct block **out, struct err *e)
{
    struct buf list = {0};
    sqlite3_stmt *s;
    int rc;

    if (!sql_prepare(d->db,
                     "SELECT number, from_ms, until_ms FROM block"
                     " ORDER BY number DESC",
                     &s, e))
        return 0;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        const struct block b = {.number = sqlite3_column_int64(s, 0),
                                .from_ms = sqlite3_column_int64(s, 1),
                                .until_ms = sqlite3_column_int64(s, 2)};
        buf_add(&list, str_from_n(&b, sizeof b));
    }
    if (rc != SQLITE_DONE)
        (void)sql_failed(d->db, e);
    (void)sqlite3_finalize(s);
    size_t n = list.n / sizeof **out;
    *out = arena_array(&w->h->arena, n + 1, sizeof **out);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = ((const struct block *)(const void *)list.p)[i];
    buf_fini(&list);
    return n;
}

static bool
find_in_block(struct walk *w, struct day_file *d, const struct block *b,
              int64_t *words, size_t n, sqlite3_stmt *s)
{
    struct err e;

    if (b->until_ms < w->since_ms || b->from_ms > w->until_ms)
        return true;
    if (!lead_with_rarest(d, b->number, words, n, &e))
        return set_unreadable(w->h, d, &e);
    (void)sqlite3_bind_int64(s, 1, b->number);
    (void)sqlite3_bind_int64(s, 2, words[0]);
    (void)sqlite3_bind_int64(s, 3, rows_first_id(w->since_ms, d->number));
    (void)sqlite3_bind_int64(s, 4, rows_id(w->until_ms, d->number, UINT64_MAX));
    for (size_t i = 1; i < n; i++)
        (void)sqlite3_bind_int64(s, (int)i + 4, words[i]);
    bool ok = give_rows(w, d, s);
    (void)sqlite3_reset(s);
    return ok;
}

static bool
find_by_words(struct walk *w, struct day_file *d)
{
    struct err e = {0};
    struct block *blocks = NULL;
    sqlite3_stmt *s;
    int64_t words[WORDS_MAX];
    size_t n = words_of(w->query, d->seed, words);

    if (n == 0)
        return find_all(w, d);
    size_t n_blocks = blocks_of(w, d, &blocks, &e);
    if (e.text[0] != '\0' || !prepare_search(d, n, &s, &e))
        return set_unreadable(w->h, d, &e);
    bool ok = true;
    for (size_t i = 0; ok && i < n_blocks && !w->enough; i++)
        ok = find_in_block(w, d, &blocks[i], words, n, s);
    (void)sqlite3_finalize(s);
    return ok;
}

static bool
find_refusals(struct walk *w, struct day_file *d)
{
    sqlite3_stmt *s;
    struct err e;
    int rc = SQLITE_DONE;

    if (!sql_prepare(d->db,
                     "SELECT kind, count, reason, rule, sender, at_ms"
                     " FROM event WHERE id BETWEEN ? AND ?"
                     " AND kind IN ('refused', 'login-failed')",
                     &s, &e))
        return set_unreadable(w->h, d, &e);
    (void)sqlite3_bind_int64(s, 1, rows_first_id(w->since_ms, d->number));
    (void)sqlite3_bind_int64(s, 2, rows_id(w->until_ms, d->number, UINT64_MAX));
    while (!w->enough && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct history_event give = {.room = STR_EMPTY};
        give.e.kind = journal_kind_from_name(sql_text(s, 0));
        give.e.count = (uint32_t)sqlite3_column_int64(s, 1);
        give.e.reason = sql_text(s, 2);
        give.e.rule = sql_text(s, 3);
        give.e.sender = sql_text(s, 4);
        give.e.at_ms = sqlite3_column_int64(s, 5);
        if (give.e.at_ms >= w->since_ms && give.e.at_ms <= w->until_ms)
            w->enough = !w->fn(w->ctx, &give);
    }
    bool ok = w->enough || rc == SQLITE_DONE || sql_failed(d->db, &e);
    (void)sqlite3_finalize(s);
    return ok || set_unreadable(w->h, d, &e);
}

static bool
find_gaps(struct walk *w, struct day_file *d)
{
    sqlite3_stmt *s;
    struct err e;
    int rc = SQLITE_DONE;

    if (!sql_prepare(d->db,
                     "SELECT from_ms, until_ms, count, why FROM gap"
                     " WHERE until_ms >= ? AND from_ms <= ? ORDER BY from_ms",
                     &s, &e))
        return set_unreadable(w->h, d, &e);
    (void)sqlite3_bind_int64(s, 1, w->since_ms);
    (void)sqlite3_bind_int64(s, 2, w->until_ms);
    while (!w->enough && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct history_event give = {.room = STR_EMPTY};
        give.e.kind = JOURNAL_DROPPED;
        give.e.at_ms = sqlite3_column_int64(s, 0);
        give.e.until_ms = sqlite3_column_int64(s, 1);
        give.e.count = (uint32_t)sqlite3_column_int64(s, 2);
        give.e.detail = sql_text(s, 3);
        w->enough = !w->fn(w->ctx, &give);
    }
    bool ok = w->enough || rc == SQLITE_DONE || sql_failed(d->db, &e);
    (void)sqlite3_finalize(s);
    return ok || set_unreadable(w->h, d, &e);
}

/* ---- all days -------------------------------------------------------------
 */

static struct walk
walk_of(struct history *h, int64_t since_ms, int64_t until_ms, history_fn fn,
        void *ctx)
{
    return (struct walk){.h = h,
                         .since_ms = since_ms,
                         .until_ms = until_ms == 0 ? INT64_MAX : until_ms,
                         .fn = fn,
                         .ctx = ctx};
}

/* What came late is in the file of the day it came: one day more is asked. */
static bool
is_concerned(const struct walk *w, const struct day_file *d)
{
    int64_t last =
        w->until_ms == INT64_MAX ? NEVER : calendar_day(w->until_ms) + 1;
    return d->number >= calendar_day(w->since_ms) && d->number <= last;
}

/* One moment of each file, though it may be written meanwhile. */
static void
visit(struct walk *w, size_t i, bool (*look)(struct walk *, struct day_file *))
{
    struct day_file *d = &w->h->days[i];
    struct err e;

    if (w->enough || !is_concerned(w, d) || !open_day(w->h, d))
        return;
    if (!sql_run(d->db, "BEGIN", &e)) {
        (void)set_unreadable(w->h, d, &e);
        return;
    }
    (void)look(w, d);
    (void)sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL);
}

void
history_find(struct history *h, const struct history_query *q, history_fn fn,
             void *ctx)
{
    struct walk w = walk_of(h, q->since_ms, q->until_ms, fn, ctx);

    w.query = q;
    for (size_t i = 0; i < h->n_days && !(w.begun && q->whole_story); i++)
        visit(&w, i, find_by_words);
    arena_reset(&h->arena);
}

void
history_refusals(struct history *h, int64_t since_ms, int64_t until_ms,
                 history_fn fn, void *ctx)
{
    struct walk w = walk_of(h, since_ms, until_ms, fn, ctx);

    for (size_t i = 0; i < h->n_days; i++)
        visit(&w, i, find_refusals);
}

/* A gap is in the file of the day at which it was known. */
void
history_gaps(struct history *h, int64_t since_ms, int64_t until_ms,
             history_fn fn, void *ctx)
{
    struct walk w = walk_of(h, since_ms, until_ms, fn, ctx);

    for (size_t i = h->n_days; i > 0; i--) {
        struct day_file *d = &h->days[i - 1];
        if (d->number >= calendar_day(since_ms) && open_day(h, d) && !w.enough)
            (void)find_gaps(&w, d);
    }
}
