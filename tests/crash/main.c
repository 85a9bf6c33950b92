/* SPDX-License-Identifier: ISC */
/*
 * The crash test of the spool: each workload is stopped after every single
 * operation on the disk, power fails in several ways, and the spool that is
 * opened on what is left must keep its promises.
 *
 *     spool-crash              small, for every build
 *     spool-crash ROUNDS       each repeated so often, with more torn images
 * and every operation failing once spool-crash ROUNDS NAME  one workload
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static uint64_t rounds;

enum { SMALL = 700, MIDDLE = 60000, BIG = 140000 };

static void
accept(struct world *w)
{
    world_watch(w);
    for (int i = 0; i < 3; i++) {
        world_accept(w, i % 2, 1, SMALL, STR_EMPTY);
        world_accept(w, i % 2, 3, MIDDLE, STR_EMPTY);
        world_step(w);
        world_accept(w, 0, 2, BIG, STR_EMPTY);
        world_aborted(w, 1, i == 1 ? BIG : SMALL);
        world_step(w);
    }
    world_settle(w);
}

static void
deliver(struct world *w)
{
    for (int i = 0; i < 4; i++)
        world_accept(w, 0, (size_t)i + 1, i == 2 ? BIG : SMALL, STR_EMPTY);
    world_settle(w);
    world_watch(w);
    (void)world_work(w, 2, WORLD_DELIVER);
    world_step(w);
    world_accept(w, 1, 1, SMALL, STR_EMPTY);
    (void)world_work(w, 3, WORLD_DELIVER);
    world_settle(w);
}

static void
defer(struct world *w)
{
    for (int i = 0; i < 3; i++)
        world_accept(w, 0, 2, SMALL, STR_EMPTY);
    world_settle(w);
    world_watch(w);
    (void)world_work(w, 2, WORLD_DEFER);
    world_step(w);
    (void)world_work(w, 3, WORLD_EXPAND);
    world_settle(w);
    (void)world_work(w, 3, WORLD_DEFER);
    world_settle(w);
    (void)world_work(w, 9, WORLD_DELIVER);
    world_settle(w);
}

static void
bounce(struct world *w)
{
    for (int i = 0; i < 3; i++)
        world_accept(w, 0, 2, SMALL, STR_EMPTY);
    world_settle(w);
    world_watch(w);
    (void)world_work(w, 2, WORLD_BOUNCE);
    world_step(w);
    world_notices(w, false);
    world_settle(w);
    (void)world_work(w, 9, WORLD_AUTOREPLY);
    world_notices(w, true);
    world_settle(w);
    (void)world_work(w, 9, WORLD_DELIVER);
    world_settle(w);
}

static void
hold(struct world *w)
{
    for (int i = 0; i < 4; i++)
        world_accept(w, 0, 1, SMALL, STR_EMPTY);
    world_settle(w);
    world_watch(w);
    world_hold_some(w);
    world_settle(w);
    world_release_all(w);
    world_step(w);
    for (int i = 0; i < 3; i++)
        (void)world_work(w, 4, WORLD_CRASH);
    world_settle(w);
    world_release_all(w);
    world_remove_some(w);
    world_settle(w);
}

/* Enough waste that survivors move and segments are used again, full of what
 * was in them before. */
static void
move(struct world *w)
{
    struct spool_log_usage u;
    if (w->every == 1)
        w->every = 3;
    for (int round = 0; round < 9; round++) {
        world_accept(w, 0, 2, round % 3 == 2 ? BIG : SMALL, STR_EMPTY);
        for (int i = 0; i < 4; i++)
            world_accept(w, 0, 1, MIDDLE, STR_EMPTY);
        if (round == 3)
            world_watch(w);
        world_settle(w);
        world_hold_one(w, 5); // the first of this round survives them all
        (void)world_work(w, 9, WORLD_DELIVER);
        world_settle(w);
    }
    spool_log_store_usage(w->rig.store, &u);
    if (u.moved == 0 && !w->rig.trouble)
        w->failed = true; // not what this is about
}

/* Whole segments end just after another message was deferred: they may be used
 * anew only when that is durable, too, since both are news of one log. */
static void
recycle(struct world *w)
{
    world_accept(w, 1, 1, SMALL, STR_EMPTY);
    world_settle(w);
    (void)world_work(w, 1, WORLD_DEFER);
    for (int round = 0; round < 5; round++) {
        w->rig.now.wall_ms += 5; // those that come now are due after that one
        for (int i = 0; i < 8; i++) {
            world_accept(w, 0, 1, MIDDLE, STR_EMPTY);
            if (i % 4 == 3)
                world_settle(w);
        }
        if (round == 3)
            world_watch(w);
        (void)world_work(w, 1, WORLD_DEFER);
        (void)world_work(w, 8, WORLD_DELIVER);
        world_settle(w);
    }
}

/* News on both sides of a full ledger, in one sync: what was written behind
 * others that are lost must not be believed. */
static void
roll(struct world *w)
{
    enum { LONG = 40000 }; // six of them fill a ledger
    static char reply[LONG];
    memset(reply, 'x', LONG);
    world_accept(w, 0, 1, SMALL, STR_EMPTY);
    for (int round = 0; round < 13; round++) {
        world_accept(w, 1, 1, SMALL, STR_EMPTY);
        world_settle(w);
        if (round == 4)
            world_watch(w);
        w->reply = STR_EMPTY;
        (void)world_work(w, 1, WORLD_DEFER); // the first, again and again
        w->reply = str_from_n(reply, LONG);
        (void)world_work(w, 1, WORLD_DELIVER);
        w->reply = STR_EMPTY;
        world_settle(w);
    }
}

/* Where the disk fails just then it is tried again, as master would. */
static void
start_anew(struct world *w)
{
    bool ok = false;
    for (int i = 0; i < 5 && !ok; i++)
        ok = rig_store_restart(&w->rig);
    w->failed = w->failed || !ok;
}

static void
restart(struct world *w)
{
    world_accept(w, 0, 2, SMALL, STR_EMPTY);
    world_accept(w, 1, 1, BIG, STR_EMPTY);
    world_settle(w);
    world_watch(w);
    w->nested = rounds > 0 ? 4 : 16;
    world_accept(w, 0, 1, SMALL, STR_EMPTY);
    world_accept(w, 1, 1, BIG, STR_EMPTY);
    (void)world_work(w, 1, WORLD_DEFER);
    world_step(w);
    start_anew(w);
    world_accept(w, 1, 1, SMALL, STR_EMPTY);
    world_settle(w);
    world_accept(w, 0, 1, SMALL, STR_EMPTY);
    world_step(w);
    rig_door_kill(&w->rig, 0);
    world_settle(w);
    rig_door_start(&w->rig, 0);
    world_settle(w);
    world_accept(w, 0, 1, SMALL, STR_EMPTY);
    (void)world_work(w, 9, WORLD_BOUNCE);
    world_step(w);
    start_anew(w);
    world_notices(w, false);
    world_settle(w);
}

/* All of it in any order. */
static void
soak(struct world *w)
{
    w->every = 5;
    w->nested = rounds > 0 ? 40 : 80;
    world_watch(w);
    for (int i = 0; i < 40 && !w->failed; i++) {
        uint64_t x = sim_random(&w->random);
        int door = (int)(x >> 8 & 1);
        switch (x % 12) {
        case 0:
        case 1:
            world_accept(w, door, 1 + (x >> 16) % 3, SMALL, STR_EMPTY);
            break;
        case 2:
            world_accept(w, door, 1, MIDDLE, STR_EMPTY);
            break;
        case 3:
            world_accept(w, door, 2, BIG, STR_EMPTY);
            break;
        case 4:
            world_aborted(w, door, (x >> 16) % BIG);
            break;
        case 5:
        case 6:
        case 7:
            (void)world_work(w, 4, WORLD_MIX);
            break;
        case 8:
            world_notices(w, (x >> 16) % 3 == 0);
            break;
        case 9:
            rig_door_kill(&w->rig, door);
            rig_door_start(&w->rig, door);
            break;
        case 10:
            start_anew(w);
            break;
        default:
            world_settle(w);
            break;
        }
        for (uint64_t k = (x >> 24) % 4; k > 0; k--)
            world_step(w);
    }
    world_settle(w);
}

static const struct {
    const char *name;
    void (*run)(struct world *w);
} workloads[] = {
    {"accept",  accept },
    {"deliver", deliver},
    {"defer",   defer  },
    {"bounce",  bounce },
    {"hold",    hold   },
    {"move",    move   },
    {"recycle", recycle},
    {"roll",    roll   },
    {"restart", restart},
};

static uint64_t checks, nested;

static bool
run(const char *name, void (*fn)(struct world *w), uint64_t seed,
    unsigned variants)
{
    struct world w;
    world_init(&w, name, seed);
    w.variants = variants;
    w.again = rounds > 0 ? 1 : 10;
    fn(&w);
    world_crash(&w);
    bool ok = !w.failed;
    (void)printf("%s %s (seed %llu): %llu operations, %llu images, %llu of "
                 "recoveries\n",
                 ok ? "ok  " : "FAIL", name, (unsigned long long)seed,
                 (unsigned long long)simdisk_ops(w.rig.disk),
                 (unsigned long long)w.oracle.checks,
                 (unsigned long long)w.oracle.nested);
    (void)fflush(stdout);
    checks += w.oracle.checks;
    nested += w.oracle.nested;
    world_fini(&w);
    return ok;
}

/* A workload in which operation n fails; then power goes. */
static bool
run_failing(const char *name, void (*fn)(struct world *w), uint64_t n,
            uint64_t count, int error, bool *reached)
{
    struct world w;
    char full[80];
    (void)snprintf(full, sizeof full, "%s, error %d at %llu", name, error,
                   (unsigned long long)n);
    world_init(&w, full, 0);
    w.every = UINT32_MAX;
    w.variants = 1;
    uint64_t from = simdisk_ops(w.rig.disk);
    simdisk_fail(w.rig.disk, n, count, error);
    fn(&w);
    *reached = simdisk_ops(w.rig.disk) - from >= n;
    world_crash(&w);
    bool ok = !w.failed;
    checks += w.oracle.checks;
    world_fini(&w);
    return ok;
}

static bool
fail_everywhere(size_t i, uint64_t stride)
{
    static const int errors[] = {ENOSPC, EIO};
    for (size_t k = 0; k < 2; k++) {
        bool reached = true;
        uint64_t n = 1;
        for (; reached; n += stride)
            if (!run_failing(workloads[i].name, workloads[i].run, n,
                             k == 0 ? 3 : 1, errors[k], &reached))
                return false;
        (void)printf("ok   %s: error %d at each of %llu operations\n",
                     workloads[i].name, errors[k], (unsigned long long)n - 1);
        (void)fflush(stdout);
    }
    return true;
}

int
main(int argc, char **argv)
{
    const char *only = argc > 2 ? argv[2] : NULL;
    bool ok = true;

    rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;

    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        if (only != NULL && strcmp(only, workloads[i].name) != 0)
            continue;
        ok = run(workloads[i].name, workloads[i].run, 0, 2) && ok;
        for (uint64_t seed = 1; seed <= rounds; seed++)
            ok = run(workloads[i].name, workloads[i].run, seed, 6) && ok;
        ok = fail_everywhere(i, rounds > 0 ? 1 : 7) && ok;
    }
    bool soaking = only == NULL || strcmp(only, "soak") == 0;
    for (uint64_t seed = 1; soaking && seed <= 2 + rounds * 20; seed++)
        ok = run("soak", soak, seed, 2) && ok;
    (void)printf("%llu images checked, %llu of them of recoveries\n",
                 (unsigned long long)checks, (unsigned long long)nested);
    return ok ? 0 : 1;
}
