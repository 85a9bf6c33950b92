/* SPDX-License-Identifier: ISC */
#include "journal/search.h"

#include <assert.h>
#include <stdlib.h>

/* ---- what the file holds --------------------------------------------------
 */

static bool
read_blocks(struct search *s, sqlite3 *db, struct err *e)
{
    sqlite3_stmt *list;
    int rc;

    if (!sql_prepare(db,
                     "SELECT number, events, from_ms, until_ms FROM block"
                     " ORDER BY number DESC",
                     &list, e))
        return false;
    while ((rc = sqlite3_step(list)) == SQLITE_ROW) {
        const struct words_block b = {.number = sqlite3_column_int64(list, 0),
                                      .events = sqlite3_column_int64(list, 1),
                                      .from_ms = sqlite3_column_int64(list, 2),
                                      .until_ms =
                                          sqlite3_column_int64(list, 3)};
        buf_add(&s->blocks, str_from_n(&b, sizeof b));
    }
    bool ok = rc == SQLITE_DONE || sql_failed(db, e);
    (void)sqlite3_finalize(list);
    return ok;
}

bool
search_begin(struct search *s, sqlite3 *db, struct err *e)
{
    struct words_block open;

    *s = (struct search){0};
    if (read_blocks(s, db, e) && words_read_fresh(db, &open, &s->open, e) &&
        words_prepare_find(db, &s->find, e))
        return true;
    search_end(s);
    return false;
}

void
search_end(struct search *s)
{
    (void)sqlite3_finalize(s->find);
    buf_fini(&s->blocks);
    buf_fini(&s->open);
    *s = (struct search){0};
}

/* ---- lists of ids ---------------------------------------------------------
 */

static const int64_t *
ids_of(const struct buf *list)
{
    return (const int64_t *)(const void *)list->p;
}

static size_t
count_of(const struct buf *list)
{
    return list->n / sizeof(int64_t);
}

static int
compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bool
holds(const struct buf *list, int64_t id)
{
    size_t n = count_of(list);
    return n > 0 && bsearch(&id, list->p, n, sizeof id, compare_ids) != NULL;
}

/* Every id that is in all lists, the newest first; the shortest leads. */
static bool
give_common(const struct buf *lists, size_t n, search_fn fn, void *ctx,
            bool *enough, struct err *e)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++)
        if (lists[i].n < lists[best].n)
            best = i;
    const int64_t *ids = ids_of(&lists[best]);
    for (size_t k = count_of(&lists[best]); k > 0 && !*enough; k--) {
        bool all = true;
        for (size_t i = 0; all && i < n; i++)
            all = i == best || holds(&lists[i], ids[k - 1]);
        if (all && !fn(ctx, ids[k - 1], enough, e))
            return false;
    }
    return true;
}

/* Of the open block, where a word may stand twice for an event. */
static void
list_open(const struct search *s, uint64_t hash,
          const struct search_question *q, struct buf *ids)
{
    const struct word *list = (const struct word *)(const void *)s->open.p;

    for (size_t i = 0; i < s->open.n / sizeof *list; i++) {
        int64_t id = words_id(&list[i]);
        if (words_is(&list[i], hash) && id >= q->first_id && id <= q->last_id)
            buf_add(ids, str_from_n(&id, sizeof id));
    }
    if (ids->n == 0)
        return;
    qsort(ids->p, count_of(ids), sizeof(int64_t), compare_ids);
    int64_t *p = (int64_t *)(void *)ids->p;
    size_t n = 1;
    for (size_t i = 1; i < count_of(ids); i++)
        if (p[i] != p[n - 1])
            p[n++] = p[i];
    ids->n = n * sizeof *p;
}

/* ---- the search -----------------------------------------------------------
 */

/* block NULL: the open one. */
static bool
search_block(const struct search *s, const struct words_block *block,
             const struct search_question *q, struct buf *lists, search_fn fn,
             void *ctx, bool *enough, struct err *e)
{
    if (block != NULL &&
        (block->until_ms < q->since_ms || block->from_ms > q->until_ms))
        return true;
    for (size_t i = 0; i < q->n; i++) {
        buf_clear(&lists[i]);
        if (block == NULL)
            list_open(s, q->words[i], q, &lists[i]);
        else if (!words_find(s->find, block->number, q->words[i], q->first_id,
                             q->last_id, &lists[i], e))
            return false;
        if (lists[i].n == 0)
            return true;
    }
    return give_common(lists, q->n, fn, ctx, enough, e);
}

bool
search_run(const struct search *s, const struct search_question *q,
           search_fn fn, void *ctx, struct err *e)
{
    const struct words_block *blocks =
        (const struct words_block *)(const void *)s->blocks.p;
    struct buf lists[SEARCH_WORDS_MAX] = {0};
    bool enough = false;

    assert(q->n > 0 && q->n <= SEARCH_WORDS_MAX);
    bool ok = search_block(s, NULL, q, lists, fn, ctx, &enough, e);
    for (size_t i = 0; ok && !enough && i < s->blocks.n / sizeof *blocks; i++)
        ok = search_block(s, &blocks[i], q, lists, fn, ctx, &enough, e);
    for (size_t i = 0; i < SEARCH_WORDS_MAX; i++)
        buf_fini(&lists[i]);
    return ok;
}
