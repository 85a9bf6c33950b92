/* SPDX-License-Identifier: ISC */
#include "directory/away.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "book/book.h"
#include "ipc/vacation.h"
#include "os/channel.h"
#include "os/log.h"

enum {
    ADDRESSES_MAX = 1000, /* of one account, named to notify */
    RETRY_MS = 1000,
    SWEEP_MS = 3600 * 1000,
};

/* A notify process; lives as long as a question of its is in hand. */
struct asker {
    struct away *all;
    struct channel *channel; /* NULL: gone */
    size_t in_hand;
};

struct question {
    struct question *next;
    struct asker *asker;
    struct arena arena;
    struct vacation_msg ask, answer;
};

/* One transaction. */
struct batch {
    struct task task;
    struct away *all;
    struct question *list;
    int64_t now_ms; /* wall */
    bool sweep, ok;
    struct err err;
};

struct away {
    struct loop *loop;
    struct accounts *accounts;
    struct timer *timer; /* a batch that failed is tried again */
    struct question *waiting, **last;
    struct batch batch;
    bool writing;
    bool pausing;     /* before a batch that failed is tried again */
    int64_t sweep_ms; /* mono: the next */
    loop_fn on_idle;
    void *ctx;
};

/* All addresses that lead to the account, nearest first: the account, its
 * aliases, theirs. A catch-all is not an address that anybody wrote to. */
struct addresses {
    struct arena *arena;
    struct str list[ADDRESSES_MAX];
    size_t n;
};

static void
on_address(void *ctx, struct str address)
{
    struct addresses *x = ctx;

    if (address.n == 0 || address.p[0] == '@' || x->n == ADDRESSES_MAX)
        return;
    for (size_t i = 0; i < x->n; i++)
        if (str_eq(x->list[i], address))
            return;
    x->list[x->n++] = arena_dup(x->arena, address);
}

static bool
find_addresses(struct accounts *a, struct question *q, struct addresses *x,
               struct err *e)
{
    x->arena = &q->arena;
    on_address(x, q->ask.account);
    for (size_t i = 0; i < x->n; i++)
        if (!accounts_aliases_to(a, x->list[i], on_address, x, e))
            return false;
    return true;
}

static bool
is_among(const struct addresses *x, struct str key)
{
    for (size_t i = 0; i < x->n; i++)
        if (str_eq(x->list[i], key))
            return true;
    return false;
}

/* Does the message name the account, by any of its addresses? */
static bool
is_named(struct arena *arena, const struct addresses *x, struct str named)
{
    struct str key;

    while (named.n > 0) {
        (void)str_cut(named, '\n', &key, &named);
        if (is_among(x, key) || is_among(x, book_without_detail(arena, key)))
            return true;
    }
    return false;
}

static struct str
join(struct arena *arena, const struct addresses *x)
{
    struct buf text = {0};

    for (size_t i = 0; i < x->n; i++)
        buf_addf(&text, "%s%.*s", i > 0 ? "\n" : "", STR_ARG(x->list[i]));
    struct str s = arena_dup(arena, buf_str(&text));
    buf_fini(&text);
    return s;
}

/* In this order: what is not to be answered must not be noted as told. */
static bool
answer_one(struct accounts *a, struct question *q, int64_t now_ms,
           struct err *e)
{
    struct accounts_vacation v;
    struct addresses *x = arena_alloc(&q->arena, sizeof *x);
    enum accounts_result result;

    q->answer = (struct vacation_msg){.type = VACATION_ANSWER,
                                      .seq = q->ask.seq,
                                      .result = VACATION_NOT_AWAY};
    result = accounts_vacation_get(a, &q->arena, q->ask.account, &v, e);
    if (result != ACCOUNTS_DONE)
        return result == ACCOUNTS_MISSING;
    if (!find_addresses(a, q, x, e))
        return false;
    if (!is_named(&q->arena, x, q->ask.named)) {
        q->answer.result = VACATION_NOT_NAMED;
        return true;
    }
    result =
        accounts_tell(a, q->ask.account, q->ask.sender, q->ask.key, now_ms, e);
    if (result == ACCOUNTS_TROUBLE)
        return false;
    if (result == ACCOUNTS_EXISTS) {
        q->answer.result = VACATION_TOLD_ALREADY;
        return true;
    }
    q->answer.result = VACATION_REPLY;
    q->answer.subject = v.subject;
    q->answer.body = v.body;
    q->answer.addresses = join(&q->arena, x);
    return true;
}

static bool
answer_all(struct batch *b, struct accounts *a)
{
    if (b->sweep && !accounts_tell_sweep(a, b->now_ms, &b->err))
        return false;
    for (struct question *q = b->list; q != NULL; q = q->next)
        if (!answer_one(a, q, b->now_ms, &b->err))
            return false;
    return true;
}

/* On a thread of the pool. */
static void
run_batch(struct task *task)
{
    struct batch *b = (struct batch *)task;
    struct accounts *a = b->all->accounts;

    b->ok = accounts_begin(a, &b->err);
    if (!b->ok)
        return;
    b->ok = answer_all(b, a);
    if (b->ok)
        b->ok = accounts_commit(a, &b->err);
    else
        accounts_abort(a);
}

static void
free_asker(struct asker *a)
{
    if (a->channel == NULL && a->in_hand == 0)
        free(a);
}

static void
send_answer(struct question *q)
{
    static const char *const names[] = {[VACATION_NOT_AWAY] = "not-away",
                                        [VACATION_REPLY] = "reply",
                                        [VACATION_TOLD_ALREADY] =
                                            "told-already",
                                        [VACATION_NOT_NAMED] = "not-named"};
    struct buf frame = {0};

    log_event(LOG_INFO, "vacation", LOG_S("account", q->ask.account),
              LOG_S("sender", q->ask.sender), LOG_S("notice", q->ask.key),
              LOG_S("result", str_from(names[q->answer.result])), LOG_END);
    vacation_encode(&frame, &q->answer);
    if (q->asker->channel != NULL)
        channel_send(q->asker->channel, buf_str(&frame));
    buf_fini(&frame);
    q->asker->in_hand--;
    free_asker(q->asker);
    arena_fini(&q->arena);
    free(q);
}

static void
start_batch(struct away *w)
{
    struct executor pool = loop_executor(w->loop);
    struct instant now = loop_now(w->loop);

    if (w->writing || w->pausing || w->waiting == NULL)
        return;
    w->writing = true;
    w->batch.list = w->waiting;
    w->waiting = NULL;
    w->last = &w->waiting;
    w->batch.now_ms = now.wall_ms;
    w->batch.sweep = now.mono_ms >= w->sweep_ms;
    if (w->batch.sweep)
        w->sweep_ms = now.mono_ms + SWEEP_MS;
    pool.submit(pool.ctx, LANE_FILE, &w->batch.task);
}

/* Puts the batch back in front of what came since. */
static void
take_back(struct away *w)
{
    struct question **end = &w->batch.list;

    while (*end != NULL)
        end = &(*end)->next;
    *end = w->waiting;
    if (w->waiting == NULL)
        w->last = end;
    w->waiting = w->batch.list;
    w->batch.list = NULL;
}

static void
on_batch_done(struct task *task)
{
    struct batch *b = (struct batch *)task;
    struct away *w = b->all;

    w->writing = false;
    if (!b->ok) { // no answer is better than a wrong one; try again
        log_error(b->err.text);
        take_back(w);
        w->pausing = true;
        timer_set(w->timer, loop_now(w->loop).mono_ms + RETRY_MS);
        return;
    }
    while (b->list != NULL) {
        struct question *q = b->list;
        b->list = q->next;
        send_answer(q);
    }
    start_batch(w);
    if (away_idle(w) && w->on_idle != NULL)
        w->on_idle(w->ctx);
}

static void
on_retry(void *ctx)
{
    struct away *w = ctx;
    w->pausing = false;
    start_batch(w);
}

/* The end of a turn: what came in it is one transaction. */
static void
on_turn_end(void *ctx)
{
    start_batch(ctx);
}

struct away *
away_new(struct loop *l, struct accounts *a, loop_fn on_idle, void *ctx)
{
    struct away *w = alloc_zero(sizeof *w);

    w->loop = l;
    w->accounts = a;
    w->last = &w->waiting;
    w->batch = (struct batch){
        .task = {run_batch, on_batch_done},
          .all = w
    };
    w->on_idle = on_idle;
    w->ctx = ctx;
    w->timer = timer_new(l, on_retry, w);
    loop_at_turn_end(l, on_turn_end, w);
    return w;
}

static void
end_asker(struct asker *a)
{
    channel_free(a->channel);
    a->channel = NULL;
    free_asker(a);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct asker *a = ctx;
    struct vacation_msg m;

    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 || !vacation_decode(frame, &m) || m.type != VACATION_ASK) {
        log_error("notify sent something else than a question");
        end_asker(a);
        return;
    }
    struct question *q = alloc_zero(sizeof *q);
    q->asker = a;
    a->in_hand++;
    q->ask = (struct vacation_msg){.type = VACATION_ASK,
                                   .seq = m.seq,
                                   .account = arena_dup(&q->arena, m.account),
                                   .sender = arena_dup(&q->arena, m.sender),
                                   .key = arena_dup(&q->arena, m.key),
                                   .named = arena_dup(&q->arena, m.named)};
    *a->all->last = q;
    a->all->last = &q->next;
}

static void
on_end(void *ctx)
{
    end_asker(ctx);
}

void
away_attach(struct away *w, int fd)
{
    struct asker *a = alloc_zero(sizeof *a);
    a->all = w;
    a->channel = channel_new(w->loop, fd, on_frame, on_end, a);
}

bool
away_idle(const struct away *w)
{
    return !w->writing && w->waiting == NULL;
}

void
away_free(struct away *w)
{
    if (w == NULL)
        return;
    accounts_close(w->accounts);
    free(w);
}
