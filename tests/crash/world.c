/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { NESTED_MAX = 400 };

/* ---- images -------------------------------------------------------------- */

/* The recovery of an image is watched itself: power may fail again. */
struct again {
    struct world *world;
    struct simdisk *disk;
    char what[160];
    unsigned ops;
};

static void
on_recovery_op(void *ctx)
{
    struct again *x = ctx;
    struct world *w = x->world;
    char what[200];
    if (w->failed || ++x->ops > NESTED_MAX || x->ops % w->again != 0)
        return;
    enum simdisk_fate fate = x->ops % 3 == 0   ? SIMDISK_DROP
                             : x->ops % 3 == 1 ? SIMDISK_TEAR
                                               : SIMDISK_KEEP;
    struct simdisk *after = simdisk_crash(x->disk, fate, x->ops);
    (void)snprintf(what, sizeof what, "%s, again at %u", x->what, x->ops);
    w->failed = !oracle_check(&w->oracle, after, false, what);
    w->oracle.nested++;
    simdisk_free(after);
}

static void
one_image(struct world *w, enum simdisk_fate fate, uint64_t seed, bool nested)
{
    static const char *const names[] = {"drop", "keep", "tear", "files"};
    struct again x = {.world = w};
    if (w->failed)
        return;
    x.disk = simdisk_crash(w->rig.disk, fate, seed);
    (void)snprintf(x.what, sizeof x.what, "%s: op %llu, %s %llu", w->name,
                   (unsigned long long)simdisk_ops(w->rig.disk), names[fate],
                   (unsigned long long)seed);
    if (nested)
        simdisk_on_op(x.disk, on_recovery_op, &x);
    bool ok = oracle_check(&w->oracle, x.disk, nested, x.what);
    w->failed = w->failed || !ok;
    simdisk_on_op(x.disk, NULL, NULL);
    // What was recovered must be found again by the next start.
    if (!w->failed && nested)
        w->failed = !oracle_check(&w->oracle, x.disk, false, x.what);
    simdisk_free(x.disk);
}

void
world_crash(struct world *w)
{
    uint64_t op = simdisk_ops(w->rig.disk);
    bool nested = w->nested > 0 && op % w->nested == 0;
    one_image(w, SIMDISK_DROP, 1, nested);
    one_image(w, SIMDISK_KEEP, 1, false);
    for (unsigned i = 0; i < w->variants; i++)
        one_image(w, i % 2 == 0 ? SIMDISK_TEAR : SIMDISK_FILES, op * 31 + i + 1,
                  nested && i == 0);
}

static void
on_op(void *ctx)
{
    struct world *w = ctx;
    if (!w->rig.quiet && simdisk_ops(w->rig.disk) % w->every == 0)
        world_crash(w);
}

void
world_watch(struct world *w)
{
    simdisk_on_op(w->rig.disk, on_op, w);
}

void
world_init(struct world *w, const char *name, uint64_t seed)
{
    *w = (struct world){.name = name,
                        .random = seed * 2 + 1,
                        .variants = 2,
                        .every = 1,
                        .again = 1};
    w->rig.seed = seed;
    rig_init(&w->rig, simdisk_new());
}

void
world_fini(struct world *w)
{
    simdisk_on_op(w->rig.disk, NULL, NULL);
    rig_stop(&w->rig);
    simdisk_free(w->rig.disk);
    oracle_fini(&w->oracle);
}

/* ---- time ---------------------------------------------------------------- */

void
world_step(struct world *w)
{
    (void)rig_step(&w->rig);
    oracle_observe(&w->oracle, &w->rig);
}

static bool
all_durable(const struct world *w)
{
    for (int i = 0; i < RIG_DOORS; i++)
        if (w->rig.doors[i].door != NULL &&
            !spool_log_door_idle(w->rig.doors[i].door))
            return false;
    return w->rig.store != NULL && spool_log_store_idle(w->rig.store);
}

void
world_settle(struct world *w)
{
    for (int i = 0, quiet = 0; i < 3000 && quiet < 12; i++) {
        world_step(w);
        quiet = all_durable(w) ? quiet + 1 : 0;
    }
    if (all_durable(w))
        oracle_durable(&w->oracle, &w->rig);
}

/* ---- accepting ----------------------------------------------------------- */

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    struct letter *l = ctx;
    (void)id;
    l->acknowledged = result == SPOOL_OK;
}

static struct envelope
make_envelope(struct world *w, struct arena *a, size_t n, struct str notice)
{
    struct envelope e = {.sender = STR("ann@example.org"),
                         .n_rcpts = n,
                         .arrived_ms = w->rig.now.wall_ms,
                         .client = STR("192.0.2.1"),
                         .protocol = STR("ESMTP"),
                         .notice = notice};
    e.rcpts = arena_array(a, n, sizeof *e.rcpts);
    for (size_t i = 0; i < n; i++)
        e.rcpts[i].address = arena_printf(a, "r%zu@example.net", i);
    return e;
}

static struct spool_message *
feed(struct world *w, int door, size_t n_rcpts, size_t size, struct str notice,
     struct buf *content)
{
    struct spool_door *d = w->rig.doors[door].door;
    struct arena a = {0};
    enum spool_result why;
    struct envelope e = make_envelope(w, &a, n_rcpts, notice);
    struct spool_message *m = d == NULL ? NULL : spool_begin(d, &e, &why);

    arena_fini(&a);
    if (m == NULL)
        return NULL;
    while (content->n < size)
        buf_addf(content, "%llx\r\n",
                 (unsigned long long)sim_random(&w->random));
    for (size_t at = 0; at < content->n; at += 20000) {
        struct str rest = str_from_pos(buf_str(content), at);
        if (!spool_chunk(m, str_first(rest, 20000)))
            for (int i = 0; i < 4; i++)
                world_step(w);
    }
    return m;
}

void
world_accept(struct world *w, int door, size_t n_rcpts, size_t size,
             struct str notice)
{
    struct buf content = {0};
    struct spool_message *m = feed(w, door, n_rcpts, size, notice, &content);
    if (m != NULL) {
        struct letter *l = oracle_add(&w->oracle, spool_message_id(m), n_rcpts,
                                      w->rig.now.wall_ms, buf_str(&content));
        l->committed = true;
        spool_commit(m, false, on_stored, l);
    }
    buf_fini(&content);
}

void
world_aborted(struct world *w, int door, size_t size)
{
    struct buf content = {0};
    struct spool_message *m = feed(w, door, 1, size, STR_EMPTY, &content);
    if (m != NULL) {
        (void)oracle_add(&w->oracle, spool_message_id(m), 1, 0, STR_EMPTY);
        spool_abort(m);
    }
    buf_fini(&content);
}

/* ---- what becomes of it -------------------------------------------------- */

static void
expand(struct world *w, struct msgid id, uint32_t rcpt)
{
    struct str targets[] = {STR("x@example.com"), STR("y@example.com")};
    uint32_t out[2];
    if (!spool_expand(w->rig.store, id, rcpt, targets, 2, out))
        return;
    oracle_observe(&w->oracle, &w->rig);
    for (size_t i = 0; i < 2; i++) {
        struct spool_settlement x = {.id = id, .rcpt = out[i]};
        x.verdict.outcome = i == 0 ? OUTCOME_DELIVERED : OUTCOME_LATER;
        x.verdict.text = STR("450 4.2.0 busy");
        x.next_ms = w->rig.now.wall_ms;
        (void)spool_settle(w->rig.store, &x);
        oracle_observe(&w->oracle, &w->rig);
    }
}

static void
settle(struct world *w, struct msgid id, const struct spool_rcpt *r,
       enum world_outcome outcome)
{
    uint32_t rcpt = r->index;
    struct spool_settlement x = {.id = id, .rcpt = rcpt};
    x.next_ms = w->rig.now.wall_ms + 1;
    x.verdict.code = 550;
    x.verdict.text =
        w->reply.n > 0 ? w->reply : STR("550 5.1.1 no such user here");
    x.verdict.outcome = OUTCOME_DELIVERED;
    if (outcome == WORLD_MIX)
        outcome = (enum world_outcome)(sim_random(&w->random) % WORLD_MIX);
    if (outcome == WORLD_EXPAND) {
        expand(w, id, rcpt);
        return;
    }
    if (outcome == WORLD_CRASH) {
        (void)spool_crashed(w->rig.store, id, &rcpt, 1, r->next_ms);
        oracle_observe(&w->oracle, &w->rig);
        return;
    }
    if (outcome == WORLD_DEFER)
        x.verdict.outcome = OUTCOME_LATER;
    if (outcome == WORLD_BOUNCE)
        x.verdict.outcome = OUTCOME_REFUSED;
    x.notice = outcome == WORLD_BOUNCE      ? NOTICE_BOUNCE
               : outcome == WORLD_AUTOREPLY ? NOTICE_AUTOREPLY
                                            : NOTICE_NONE;
    (void)spool_settle(w->rig.store, &x);
    oracle_observe(&w->oracle, &w->rig);
}

bool
world_work(struct world *w, size_t n, enum world_outcome outcome)
{
    struct spool_log_usage u = {0};
    bool any = false;
    if (w->rig.store != NULL)
        spool_log_store_usage(w->rig.store, &u);
    if (!u.recovered)
        return false; // the oracle would not see what becomes of it
    w->rig.now.wall_ms += 10;
    for (size_t i = 0; i < n && w->rig.store != NULL; i++) {
        struct arena a = {0};
        struct spool_claim c;
        bool got = spool_claim(w->rig.store, w->rig.now, &a, &c);
        any = any || got;
        if (got)
            oracle_observe(&w->oracle, &w->rig);
        for (size_t k = 0; got && k < c.n_rcpts; k++)
            settle(w, c.id, &c.rcpts[k], outcome);
        arena_fini(&a);
        if (!got)
            break;
    }
    return any;
}

void
world_notices(struct world *w, bool decline)
{
    struct arena a = {0};
    struct spool_notice n;
    while (w->rig.store != NULL && spool_next_notice(w->rig.store, &a, &n)) {
        struct letter *l = oracle_find(&w->oracle, n.original);
        if (l != NULL)
            l->notice_written = true;
        if (decline)
            spool_notice_declined(w->rig.store, n.key);
        else
            world_accept(w, RIG_DOORS - 1, 1, 300, n.key);
        oracle_observe(&w->oracle, &w->rig);
    }
    arena_fini(&a);
}

void
world_hold_some(struct world *w)
{
    for (size_t i = 0; i < w->oracle.n; i += 2) {
        (void)spool_hold(w->rig.store, w->oracle.letters[i]->id,
                         STR("looked at"));
        oracle_observe(&w->oracle, &w->rig);
    }
}

void
world_hold_one(struct world *w, size_t from_last)
{
    if (w->oracle.n < from_last || w->rig.store == NULL)
        return;
    struct letter *l = w->oracle.letters[w->oracle.n - from_last];
    (void)spool_hold(w->rig.store, l->id, STR("stays"));
    oracle_observe(&w->oracle, &w->rig);
}

void
world_release_all(struct world *w)
{
    for (size_t i = 0; i < w->oracle.n; i++) {
        (void)spool_release(w->rig.store, w->oracle.letters[i]->id,
                            w->rig.now.wall_ms + 3);
        oracle_observe(&w->oracle, &w->rig);
    }
}

void
world_remove_some(struct world *w)
{
    for (size_t i = 0; i < w->oracle.n; i += 3) {
        (void)spool_remove(w->rig.store, w->oracle.letters[i]->id);
        oracle_observe(&w->oracle, &w->rig);
    }
}
