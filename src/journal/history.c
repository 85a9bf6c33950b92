/* SPDX-License-Identifier: ISC */
#include "journal/history.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "journal/calendar.h"
#include "journal/filter.h"
#include "journal/rows.h"
#include "journal/search.h"
#include "journal/terms.h"
#include "os/disk.h"

enum { NEVER = INT32_MAX /* a day far away */ };

/* A file is read as it is in one moment, from the first question on to
 * history_pause(). */
struct day_file {
    int64_t number;
    sqlite3 *db; /* NULL: not opened yet */
    uint64_t seed;
    struct filter filter;
    bool asked; /* whether there is one */
    bool begun; /* a transaction */
    struct search search;
    sqlite3_stmt *by_id; /* NULL: not needed yet */
    bool unreadable;
};

struct history {
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
    h->days[h->n_days++] =
        (struct day_file){.number = number, .filter = {.fd = -1}};
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
    history_pause(h);
    for (size_t i = 0; i < h->n_days; i++) {
        filter_close(&h->days[i].filter);
        if (h->days[i].db != NULL)
            sql_close(h->days[i].db);
    }
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

    if (!sql_number(d->db, "PRAGMA user_version", &version, e))
        return false;
    if (version == 0) // just made: nothing is in it
        return err_set(e, "%s: no tables yet",
                       sqlite3_db_filename(d->db, "main"));
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
begin(struct day_file *d, struct err *e)
{
    if (d->begun)
        return true;
    d->begun = sql_run(d->db, "BEGIN", e);
    return d->begun && check(d, e);
}

static const char *
path_of(const struct history *h, const struct day_file *d, struct buf *path)
{
    buf_addf(path, "%.*s/", STR_ARG(buf_str(&h->folder)));
    calendar_add_name(path, d->number);
    return buf_cstr(path);
}

/* Before SQLite has the day's file open, or not at all. */
static const struct filter *
filter_of(const struct history *h, struct day_file *d)
{
    struct buf path = {0};

    if (!d->asked && d->db == NULL)
        filter_open(&d->filter, path_of(h, d, &path));
    d->asked = true;
    buf_fini(&path);
    return d->filter.fd >= 0 ? &d->filter : NULL;
}

static bool
open_day(struct history *h, struct day_file *d)
{
    struct buf path = {0};
    struct err e;
    bool damaged;

    if (d->unreadable)
        return false;
    if (d->db != NULL)
        return begin(d, &e) || set_unreadable(h, d, &e);
    d->db = sql_open(path_of(h, d, &path), SQLITE_OPEN_READONLY, &e, &damaged);
    bool ok = (d->db != NULL && sql_run(d->db, "PRAGMA mmap_size = 0", &e) &&
               begin(d, &e)) ||
              set_unreadable(h, d, &e);
    buf_fini(&path);
    return ok;
}

void
history_pause(struct history *h)
{
    for (size_t i = 0; i < h->n_days; i++) {
        struct day_file *d = &h->days[i];
        search_end(&d->search);
        (void)sqlite3_finalize(d->by_id);
        d->by_id = NULL;
        if (d->begun)
            (void)sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL);
        d->begun = false;
    }
}

/* ---- one day --------------------------------------------------------------
 */

/* The event of a row; words it must hold. */
static void
give(struct walk *w, sqlite3_stmt *s, uint64_t seed, const uint64_t *words,
     size_t n)
{
    struct row r;

    rows_read(s, &r);
    struct history_event event = {.room = r.room, .slot = r.slot, .e = r.e};
    if (n > 0 && !terms_hold(&r.e, seed, words, n))
        return;
    if (r.e.kind == JOURNAL_ACCEPTED)
        w->begun = true;
    if (r.e.at_ms >= w->since_ms && r.e.at_ms <= w->until_ms)
        w->enough = !w->fn(w->ctx, &event);
}

static bool
find_all(struct walk *w, struct day_file *d)
{
    struct buf sql = {0};
    sqlite3_stmt *s;
    struct err e;
    int rc = SQLITE_DONE;

    rows_add_select(&sql);
    buf_add(&sql, STR("WHERE id BETWEEN ? AND ? ORDER BY id DESC"));
    bool ok = sql_prepare(d->db, buf_cstr(&sql), &s, &e);
    buf_fini(&sql);
    if (!ok)
        return set_unreadable(w->h, d, &e);
    (void)sqlite3_bind_int64(s, 1, rows_first_id(w->since_ms, d->number));
    (void)sqlite3_bind_int64(s, 2, rows_id(w->until_ms, d->number, UINT64_MAX));
    while (!w->enough && (rc = sqlite3_step(s)) == SQLITE_ROW)
        give(w, s, d->seed, NULL, 0);
    ok = w->enough || rc == SQLITE_DONE || sql_failed(d->db, &e);
    (void)sqlite3_finalize(s);
    return ok || set_unreadable(w->h, d, &e);
}

static size_t
words_of(const struct history_query *q, uint64_t seed,
         uint64_t out[SEARCH_WORDS_MAX])
{
    const struct {
        enum term kind;
        struct str text;
    } words[] = {
        {TERM_ID,        q->id       },
        {TERM_SENDER,    q->sender   },
        {TERM_RECIPIENT, q->recipient},
        {TERM_DOMAIN,    q->domain   },
        {TERM_CLIENT,    q->client   },
        {TERM_USER,      q->user     },
        {TERM_REASON,    q->reason   },
    };
    size_t n = 0;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].text.n > 0)
            out[n++] = terms_hash(seed, words[i].kind, words[i].text);
    return n;
}

static bool
prepare_by_id(struct day_file *d, struct err *e)
{
    struct buf sql = {0};

    if (d->by_id != NULL)
        return true;
    rows_add_select(&sql);
    buf_add(&sql, STR("WHERE id = ?"));
    bool ok = sql_prepare(d->db, buf_cstr(&sql), &d->by_id, e);
    buf_fini(&sql);
    return ok;
}

struct found {
    struct walk *walk;
    struct day_file *day;
    const uint64_t *words;
    size_t n;
};

static bool
on_id(void *ctx, int64_t id, bool *enough, struct err *e)
{
    struct found *f = ctx;
    struct day_file *d = f->day;

    if (!prepare_by_id(d, e))
        return false;
    (void)sqlite3_bind_int64(d->by_id, 1, id);
    int rc = sqlite3_step(d->by_id);
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || sql_failed(d->db, e);
    if (rc == SQLITE_ROW)
        give(f->walk, d->by_id, d->seed, f->words, f->n);
    (void)sqlite3_reset(d->by_id);
    *enough = f->walk->enough;
    return ok;
}

static bool
find_by_words(struct walk *w, struct day_file *d)
{
    uint64_t words[SEARCH_WORDS_MAX];
    struct err e;
    const struct search_question q = {
        .words = words,
        .n = words_of(w->query, d->seed, words),
        .since_ms = w->since_ms,
        .until_ms = w->until_ms,
        .first_id = rows_first_id(w->since_ms, d->number),
        .last_id = rows_id(w->until_ms, d->number, UINT64_MAX)};
    struct found f = {.walk = w, .day = d, .words = words, .n = q.n};

    if (q.n == 0)
        return find_all(w, d);
    return ((d->search.find != NULL || search_begin(&d->search, d->db, &e)) &&
            search_run(&d->search, &q, on_id, &f, &e)) ||
           set_unreadable(w->h, d, &e);
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

static void
visit(struct walk *w, size_t i, bool (*look)(struct walk *, struct day_file *))
{
    struct day_file *d = &w->h->days[i];

    if (!w->enough && is_concerned(w, d) && open_day(w->h, d))
        (void)look(w, d);
}

static bool
may_hold(struct history *h, struct day_file *d, const struct history_query *q)
{
    const struct filter *f = filter_of(h, d);
    uint64_t words[SEARCH_WORDS_MAX];

    if (f == NULL)
        return true;
    size_t n = words_of(q, f->seed, words);
    for (size_t i = 0; i < n; i++)
        if (!filter_may_hold(f, words[i]))
            return false;
    return true;
}

void
history_find(struct history *h, const struct history_query *q, history_fn fn,
             void *ctx)
{
    struct walk w = walk_of(h, q->since_ms, q->until_ms, fn, ctx);

    w.query = q;
    for (size_t i = 0; i < h->n_days && !(w.begun && q->whole_story); i++)
        if (is_concerned(&w, &h->days[i]) && may_hold(h, &h->days[i], q))
            visit(&w, i, find_by_words);
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
        const struct filter *f = filter_of(h, d);
        if (d->number < calendar_day(since_ms) || w.enough ||
            (f != NULL && !f->has_gaps))
            continue;
        if (open_day(h, d))
            (void)find_gaps(&w, d);
    }
}
