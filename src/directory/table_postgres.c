/* SPDX-License-Identifier: ISC */
/*
 * PostgreSQL, by libpq without blocking: many questions are under way at once
 * (its pipeline mode), each key with a sync of its own behind it, so that an
 * error spoils no other. Nothing is prepared on the server, so a pooler in
 * between does no harm.
 *
 *     RESTING     no connection; questions wait for the first attempt, and are
 *                 TROUBLE once one has failed
 *     STARTING    PQconnectStart() on a thread: it may ask the DNS
 *     CONNECTING  PQconnectPoll() as the descriptor gets ready
 *     READY       asks
 *
 * A connection that breaks, or does not answer in time, is given up and made
 * anew with growing pauses.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "directory/libpq.h"
#include "directory/table_internal.h"

enum {
    PATIENCE_MS = 5000, /* for a connection, for the next answer */
    PAUSE_FIRST_MS = 100,
    PAUSE_MOST_MS = 30000,
    UNDERWAY_MAX = 1024, /* keys asked and not answered */
};

enum state { RESTING = 0, STARTING, CONNECTING, READY };

struct postgres {
    struct table base;
    enum state state;
    struct table_queue waiting;  /* not sent yet */
    struct table_queue underway; /* sent, in this order */
    size_t keys_underway;
    bool closing;
    bool failing; /* the last attempt or connection broke */
    int64_t pause_ms;

    PGconn *connection; /* STARTING: the task's */
    struct task task;
    int fd; /* ours, of the connection's socket: libpq closes its own whenever
               it likes, and the loop must not be left with that */
    struct watch *watch;
    struct timer *timer; /* the end of a pause, or of patience */
    bool impatient;      /* the timer counts for what is under way */
    bool row_read;       /* of the key being answered: its result came */
};

static void pump(struct postgres *p, bool answered);

static int64_t
now_ms(const struct postgres *p)
{
    return loop_now(p->base.loop).mono_ms;
}

/* ---- the connection ---------------------------------------------------- */

static void
stop_watching(struct postgres *p)
{
    watch_free(p->watch);
    p->watch = NULL;
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
}

static void
disconnect(struct postgres *p)
{
    stop_watching(p);
    PQfinish(p->connection);
    p->connection = NULL;
    p->keys_underway = 0;
}

/* Back to where they came from, the oldest first. */
static void
take_back(struct postgres *p)
{
    struct table_queue later = p->waiting;
    struct lookup *q;

    p->waiting = (struct table_queue){0};
    while ((q = table_queue_take(&p->underway)) != NULL) {
        q->at = 0;
        q->found = LIST_NO;
        buf_clear(&q->value);
        table_queue_add(&p->waiting, q);
    }
    while ((q = table_queue_take(&later)) != NULL)
        table_queue_add(&p->waiting, q);
}

/* We try again after a pause. All that waits for an answer gets none, unless it
 * is the first time after a good one: a server that was started anew, or has
 * closed an idle connection, is asked once more. */
static void
lose(struct postgres *p, const char *why, bool broken)
{
    bool once_more =
        broken && p->state == READY && p->pause_ms == PAUSE_FIRST_MS;

    table_say(&p->base, why); // may be the connection's own text
    disconnect(p);
    p->state = RESTING;
    p->failing = !once_more;
    p->row_read = p->impatient = false;
    timer_set(p->timer, now_ms(p) + p->pause_ms);
    p->pause_ms =
        p->pause_ms * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : p->pause_ms * 2;
    if (once_more) {
        take_back(p);
    } else {
        table_queue_fail(&p->underway);
        table_queue_fail(&p->waiting);
    }
}

static void
lose_connection(struct postgres *p)
{
    lose(p, PQerrorMessage(p->connection), true);
}

static void
keep_silent(void *ctx, const PGresult *r)
{
    (void)ctx;
    (void)r;
}

/* On a thread of the pool. */
static void
run_start(struct task *task)
{
    struct postgres *p =
        (struct postgres *)((char *)task - offsetof(struct postgres, task));
    // Later words win: keys are UTF-8, whatever the parameters say.
    const char *const words[] = {"dbname", "client_encoding",
                                 "fallback_application_name", NULL};
    const char *const values[] = {p->base.place, "UTF8", "gatepost", NULL};

    p->connection = PQconnectStartParams(words, values, 1);
}

static void
begin_start(struct postgres *p)
{
    struct executor pool = loop_executor(p->base.loop);
    const char *missing = libpq_load();

    if (missing != NULL) {
        lose(p, missing, true);
        return;
    }
    p->state = STARTING;
    pool.submit(pool.ctx, LANE_FILE, &p->task);
}

static void
enter_ready(struct postgres *p)
{
    if (PQsetnonblocking(p->connection, 1) != 0 ||
        PQenterPipelineMode(p->connection) != 1) {
        lose_connection(p);
        return;
    }
    p->state = READY;
    p->failing = false;
    timer_clear(p->timer);
    pump(p, false);
}

/* ---- questions --------------------------------------------------------- */

static bool
send_key(struct postgres *p, const char *key)
{
    return PQsendQueryParams(p->connection, p->base.query, 1, NULL, &key, NULL,
                             NULL, 0) == 1 &&
           PQpipelineSync(p->connection) == 1;
}

/* What waits goes out, as far as it may. */
static bool
send_waiting(struct postgres *p)
{
    while (p->waiting.first != NULL && p->keys_underway < UNDERWAY_MAX) {
        struct lookup *q = table_queue_take(&p->waiting);
        table_queue_add(&p->underway, q);
        for (uint32_t i = 0; i < q->n_keys; i++)
            if (!send_key(p, q->keys[i]))
                return false;
        p->keys_underway += q->n_keys;
    }
    return true;
}

static bool
flush(struct postgres *p)
{
    int rest = PQflush(p->connection);

    if (rest < 0)
        return false;
    watch_want(p->watch, rest > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
    return true;
}

/* Patience counts from the first question or the last answer: more questions do
 * not prolong it. */
static void
arm(struct postgres *p, bool answered)
{
    if (p->underway.first == NULL)
        timer_clear(p->timer);
    else if (answered || !p->impatient)
        timer_set(p->timer, now_ms(p) + PATIENCE_MS);
    p->impatient = p->underway.first != NULL;
}

static void
pump(struct postgres *p, bool answered)
{
    if (!send_waiting(p) || !flush(p))
        lose_connection(p);
    else
        arm(p, answered);
}

/* A key whose octets the database's encoding cannot hold is not in it: class
 * 22, character_not_in_repertoire and untranslatable_character. */
static bool
is_foreign_text(const PGresult *r)
{
    struct str state = str_from(PQresultErrorField(r, PG_DIAG_SQLSTATE));
    return str_eq(state, STR("22021")) || str_eq(state, STR("22P05"));
}

static void
take_rows(struct lookup *q, const PGresult *r)
{
    if (q->found != LIST_NO || PQntuples(r) == 0)
        return; // a key before this one was there, or could not be asked
    q->found = LIST_YES;
    q->key = q->at;
    if (PQnfields(r) > 1 && !PQgetisnull(r, 0, 1))
        buf_add(&q->value, str_from(PQgetvalue(r, 0, 1)));
}

/* The sync behind a key: that one is answered. */
static void
end_key(struct postgres *p, struct lookup *q)
{
    p->keys_underway--;
    if (!p->row_read && q->found == LIST_NO)
        q->found = LIST_TROUBLE;
    p->row_read = false;
    if (++q->at < q->n_keys)
        return;
    (void)table_queue_take(&p->underway);
    if (q->found != LIST_TROUBLE) {
        table_say(&p->base, "");
        p->pause_ms = PAUSE_FIRST_MS;
    }
    table_answer(q);
}

static void
take_result(struct postgres *p, struct lookup *q, const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);

    if (status == PGRES_PIPELINE_SYNC) {
        end_key(p, q);
    } else if (status == PGRES_TUPLES_OK) {
        p->row_read = true;
        take_rows(q, r);
    } else if (status == PGRES_FATAL_ERROR) {
        p->row_read = is_foreign_text(r);
        if (!p->row_read)
            table_say(&p->base, PQresultErrorMessage(r));
    } else if (status != PGRES_PIPELINE_ABORTED) {
        table_say(&p->base, "expected a query that gives rows");
    }
}

/* Every result that is there. libpq puts a NULL behind each query's; two in
 * sequence mean that it has no more for us. */
static bool
take_results(struct postgres *p)
{
    bool again = true;

    while (p->underway.first != NULL && PQisBusy(p->connection) == 0) {
        PGresult *r = PQgetResult(p->connection);
        if (r == NULL && !again)
            break;
        again = r != NULL;
        if (r == NULL)
            continue;
        // What a breaking connection says is no answer to a question.
        if (PQstatus(p->connection) != CONNECTION_BAD)
            take_result(p, p->underway.first, r);
        PQclear(r);
    }
    return PQstatus(p->connection) != CONNECTION_BAD;
}

/* ---- what happens ------------------------------------------------------ */

static void
on_ready(void *ctx, unsigned ready)
{
    struct postgres *p = ctx;

    bool lost = (ready & LOOP_READ) != 0 && PQconsumeInput(p->connection) != 1;
    if (lost || !take_results(p))
        lose_connection(p);
    else
        pump(p, true);
}

static void on_connecting(void *ctx, unsigned ready);

/* libpq may go on to another address, and so to another descriptor. */
static void
await(struct postgres *p, unsigned events)
{
    p->fd = dup(PQsocket(p->connection));
    if (p->fd < 0) {
        lose(p, "no descriptor for the connection", false);
        return;
    }
    p->watch = watch_new(p->base.loop, p->fd,
                         p->state == READY ? on_ready : on_connecting, p);
    watch_want(p->watch, events);
}

static void
connect_step(struct postgres *p)
{
    stop_watching(p);
    switch (PQconnectPoll(p->connection)) {
    case PGRES_POLLING_READING:
        await(p, LOOP_READ);
        break;
    case PGRES_POLLING_WRITING:
        await(p, LOOP_WRITE);
        break;
    case PGRES_POLLING_OK:
        p->state = READY;
        await(p, LOOP_READ);
        if (p->fd >= 0)
            enter_ready(p);
        break;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        lose_connection(p);
        break;
    }
}

static void
on_connecting(void *ctx, unsigned ready)
{
    (void)ready;
    connect_step(ctx);
}

static void
end(struct postgres *p)
{
    disconnect(p);
    timer_free(p->timer);
    table_queue_fail(&p->underway);
    table_queue_fail(&p->waiting);
    arena_fini(&p->base.arena);
    free(p);
}

static void
on_started(struct task *task)
{
    struct postgres *p =
        (struct postgres *)((char *)task - offsetof(struct postgres, task));

    p->state = CONNECTING;
    if (p->closing) {
        end(p);
        return;
    }
    if (p->connection == NULL) {
        lose(p, "libpq has no memory", true);
        return;
    }
    (void)PQsetNoticeReceiver(p->connection, keep_silent, NULL);
    if (PQstatus(p->connection) == CONNECTION_BAD) {
        lose_connection(p);
        return;
    }
    timer_set(p->timer, now_ms(p) + PATIENCE_MS);
    await(p, LOOP_WRITE); // as if PQconnectPoll() had said so
}

static void
on_timer(void *ctx)
{
    struct postgres *p = ctx;

    if (p->state == RESTING)
        begin_start(p);
    else
        lose(p,
             p->state == READY ? "PostgreSQL does not answer"
                               : "PostgreSQL cannot be reached",
             false);
}

static void
on_ask(struct table *t, struct lookup *q)
{
    struct postgres *p = (struct postgres *)t;

    if ((p->failing && p->state != READY) ||
        p->waiting.n >= TABLE_WAITING_MAX) {
        q->found = LIST_TROUBLE;
        table_answer(q);
        return;
    }
    table_queue_add(&p->waiting, q);
}

static void
on_flush(struct table *t)
{
    struct postgres *p = (struct postgres *)t;

    if (p->state == READY && p->waiting.first != NULL)
        pump(p, false);
}

static void
on_close(struct table *t)
{
    struct postgres *p = (struct postgres *)t;

    p->closing = true;
    if (p->state != STARTING)
        end(p);
}

struct table *
table_postgres(void)
{
    static const struct table_ops ops = {on_ask, on_flush, on_close};
    struct postgres *p = alloc_zero(sizeof *p);

    p->base.ops = &ops;
    p->fd = -1;
    p->pause_ms = PAUSE_FIRST_MS;
    p->task = (struct task){run_start, on_started};
    return &p->base;
}

void
table_postgres_begin(struct table *t)
{
    struct postgres *p = (struct postgres *)t;

    p->timer = timer_new(t->loop, on_timer, p);
    begin_start(p);
}
