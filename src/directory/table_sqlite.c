/* SPDX-License-Identifier: ISC */
/*
 * SQLite: questions are gathered while the pool works on the ones before, so
 * one connection is used by one thread at a time. Nothing is written; a
 * database that was replaced by another file is opened anew.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "directory/table_internal.h"
#include "os/folder.h"

enum { BUSY_MS = 1000, BATCH_MAX = 512 };

struct sqlite {
    struct table base;
    struct table_queue waiting;
    bool closing;

    /* The task's while it is under way. */
    struct task task;
    bool busy;
    struct table_queue batch;
    struct err err; /* text empty: all is well */
    sqlite3 *db;
    sqlite3_stmt *statement;
    struct file_stamp stamp;
};

/* ---- on a thread of the pool ------------------------------------------- */

static void
close_database(struct sqlite *s)
{
    (void)sqlite3_finalize(s->statement);
    (void)sqlite3_close(s->db);
    s->statement = NULL;
    s->db = NULL;
}

static bool
failed(struct sqlite *s)
{
    return err_set(&s->err, "%s: %s", s->base.place, sqlite3_errmsg(s->db));
}

static bool
open_database(struct sqlite *s)
{
    struct file_stamp now;

    if (!file_stamp(s->base.place, &now, &s->err)) {
        close_database(s);
        return false;
    }
    if (s->db != NULL && now.inode != s->stamp.inode)
        close_database(s);
    if (s->statement != NULL)
        return true;
    close_database(s);
    s->stamp = now;
    if (sqlite3_open_v2(s->base.place, &s->db, SQLITE_OPEN_READONLY, NULL) !=
        SQLITE_OK)
        return failed(s);
    (void)sqlite3_busy_timeout(s->db, BUSY_MS);
    if (sqlite3_prepare_v2(s->db, s->base.query, -1, &s->statement, NULL) !=
        SQLITE_OK)
        return failed(s);
    if (s->statement == NULL || sqlite3_bind_parameter_count(s->statement) < 1)
        return err_set(&s->err, "%s: expected a query with one parameter",
                       s->base.place);
    return true;
}

/* false: it could not be asked. */
static bool
ask_key(struct sqlite *s, struct lookup *q, const char *key)
{
    (void)sqlite3_bind_text(s->statement, 1, key, -1, SQLITE_STATIC);
    int rc = sqlite3_step(s->statement);
    if (rc == SQLITE_ROW) {
        q->found = LIST_YES;
        if (sqlite3_column_count(s->statement) > 1)
            buf_add(&q->value, str_from((const char *)sqlite3_column_text(
                                   s->statement, 1)));
    }
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || failed(s);
    (void)sqlite3_reset(s->statement);
    (void)sqlite3_clear_bindings(s->statement);
    return ok;
}

static void
run(struct task *task)
{
    struct sqlite *s =
        (struct sqlite *)((char *)task - offsetof(struct sqlite, task));
    bool ok = open_database(s);

    for (struct lookup *q = s->batch.first; q != NULL; q = q->next) {
        while (ok && q->found == LIST_NO && q->at < q->n_keys) {
            q->key = q->at;
            ok = ask_key(s, q, q->keys[q->at++]);
        }
        if (!ok)
            q->found = LIST_TROUBLE;
    }
    if (!ok)
        close_database(s);
}

/* ---- on the loop ------------------------------------------------------- */

static void
start(struct sqlite *s)
{
    struct executor pool = loop_executor(s->base.loop);

    if (s->busy || s->waiting.first == NULL)
        return;
    s->busy = true;
    s->err.text[0] = '\0';
    while (s->waiting.first != NULL && s->batch.n < BATCH_MAX)
        table_queue_add(&s->batch, table_queue_take(&s->waiting));
    pool.submit(pool.ctx, LANE_FILE, &s->task);
}

static void
end(struct sqlite *s)
{
    table_queue_fail(&s->waiting);
    close_database(s);
    arena_fini(&s->base.arena);
    free(s);
}

static void
on_done(struct task *task)
{
    struct sqlite *s =
        (struct sqlite *)((char *)task - offsetof(struct sqlite, task));
    struct lookup *q;

    table_say(&s->base, s->err.text);
    while ((q = table_queue_take(&s->batch)) != NULL)
        table_answer(q);
    s->busy = false;
    if (s->closing)
        end(s);
    else
        start(s);
}

static void
on_ask(struct table *t, struct lookup *q)
{
    struct sqlite *s = (struct sqlite *)t;

    if (s->waiting.n >= TABLE_WAITING_MAX) {
        q->found = LIST_TROUBLE;
        table_answer(q);
        return;
    }
    table_queue_add(&s->waiting, q);
}

static void
on_flush(struct table *t)
{
    start((struct sqlite *)t);
}

static void
on_close(struct table *t)
{
    struct sqlite *s = (struct sqlite *)t;

    s->closing = true;
    if (!s->busy)
        end(s);
}

struct table *
table_sqlite(void)
{
    static const struct table_ops ops = {on_ask, on_flush, on_close};
    struct sqlite *s = alloc_zero(sizeof *s);

    s->base.ops = &ops;
    s->task = (struct task){run, on_done};
    return &s->base;
}
