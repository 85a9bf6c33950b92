/* SPDX-License-Identifier: ISC */
#include "os/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"

/*
 * Four threads, at most three of them in lanes that may last long, at most two
 * hashing: on a small machine more would only take turns.
 */
#define THREADS "4"
enum { LANES = LANE_HASH + 1, LONG_MAX_RUNNING = 3, HASH_MAX_RUNNING = 2 };

struct work {
    uv_work_t uv;
    struct pool *pool;
    struct task *task;
    enum lane lane;
    struct work *next;
};

struct waiting {
    struct work *first, *last;
};

struct pool {
    uv_loop_t *uv;
    struct waiting lanes[LANES];
    unsigned running[LANES];
};

struct pool *
pool_new(uv_loop_t *uv)
{
    struct pool *p = alloc_zero(sizeof *p);
    p->uv = uv;
    (void)setenv("UV_THREADPOOL_SIZE", THREADS, 1);
    return p;
}

static bool
has_room(const struct pool *p, enum lane lane)
{
    if (lane == LANE_SYNC)
        return true;
    if (lane == LANE_HASH && p->running[LANE_HASH] >= HASH_MAX_RUNNING)
        return false;
    return p->running[LANE_FILE] + p->running[LANE_HASH] < LONG_MAX_RUNNING;
}

static void
on_work(uv_work_t *uv)
{
    struct work *w = uv->data;
    w->task->run(w->task);
}

static void start_waiting(struct pool *p);

static void
on_done(uv_work_t *uv, int status)
{
    struct work *w = uv->data;
    struct pool *p = w->pool;
    struct task *task = w->task;
    (void)status; // never cancelled
    p->running[w->lane]--;
    free(w);
    start_waiting(p);
    task->done(task);
}

static void
start(struct pool *p, struct work *w)
{
    p->running[w->lane]++;
    int rc = uv_queue_work(p->uv, &w->uv, on_work, on_done);
    assert(rc == 0);
}

static void
start_waiting(struct pool *p)
{
    for (enum lane lane = LANE_FILE; lane < (enum lane)LANES; lane++) {
        struct waiting *q = &p->lanes[lane];
        while (q->first != NULL && has_room(p, lane)) {
            struct work *w = q->first;
            q->first = w->next;
            start(p, w);
        }
    }
}

static void
submit(void *ctx, enum lane lane, struct task *task)
{
    struct pool *p = ctx;
    struct work *w = alloc_zero(sizeof *w);
    w->uv.data = w;
    w->pool = p;
    w->task = task;
    w->lane = lane;
    struct waiting *q = &p->lanes[lane];
    if (q->first == NULL && has_room(p, lane)) {
        start(p, w);
        return;
    }
    if (q->first == NULL)
        q->first = w;
    else
        q->last->next = w;
    q->last = w;
}

struct executor
pool_executor(struct pool *p)
{
    return (struct executor){submit, p};
}

void
pool_free(struct pool *p)
{
    for (size_t lane = 0; lane < LANES; lane++)
        while (p->lanes[lane].first != NULL) {
            struct work *w = p->lanes[lane].first;
            p->lanes[lane].first = w->next;
            free(w);
        }
    while (p->running[LANE_SYNC] + p->running[LANE_FILE] +
               p->running[LANE_HASH] >
           0)
        (void)uv_run(p->uv, UV_RUN_ONCE);
    free(p);
}
