/* SPDX-License-Identifier: ISC */
/* What a start makes of summaries: the same as without them, only sooner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/alloc.h"
#include "spool/format.h"
#include "spoolrig.h"

enum { MESSAGES = 1000 };

static int
setup(void **state)
{
    struct rig *r = alloc_zero(sizeof *r);
    rig_init(r, simdisk_new());
    *state = r;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;
    rig_stop(r);
    assert_int_equal(simdisk_open_files(r->disk), 0);
    simdisk_free(r->disk);
    free(r);
    return 0;
}

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    (void)id;
    assert_int_equal(result, SPOOL_OK);
    ++*(int *)ctx;
}

static void
on_refused(void *ctx, enum spool_result result, struct msgid id)
{
    (void)ctx;
    (void)id;
    assert_int_not_equal(result, SPOOL_OK);
}

/* Message i has 1 + i % 3 recipients and (i % 50) octets, a batch for some. */
static void
fill(struct rig *r, int n)
{
    static char bytes[50];
    struct recipient rcpts[3] = {{.address = STR("a@example.net")},
                                 {.address = STR("b@example.net")},
                                 {.address = STR("c@example.net")}};
    int stored = 0;
    for (int i = 0; i < n; i++) {
        struct envelope e = {.sender = STR("a@example.org"),
                             .rcpts = rcpts,
                             .n_rcpts = 1 + (size_t)i % 3,
                             .arrived_ms = r->now.wall_ms - i};
        enum spool_result why;
        struct spool_message *m = spool_begin(r->doors[0].door, &e, &why);
        assert_non_null(m);
        assert_true(spool_chunk(m, str_from_n(bytes, (size_t)i % 50)));
        spool_commit(m, i % 2 == 0, on_stored, &stored);
        if (i % 20 == 19)
            for (int k = 0; k < 4; k++)
                (void)rig_step(r);
    }
    rig_settle(r);
    assert_int_equal(stored, n);
}

/* The doors die, so that all segments are sealed. */
static void
seal(struct rig *r)
{
    for (int i = 0; i < RIG_DOORS; i++)
        rig_door_kill(r, i);
    rig_settle(r);
}

struct looking {
    uint64_t sum; // over all that is shown, in no order
    size_t n, rcpts;
    char last_segment[40];
    uint64_t last_offset;
};

static bool
look(void *ctx, const struct spool_view *v)
{
    struct looking *l = ctx;
    uint64_t x = v->id.seq * 31 + v->size * 7 + v->at.offset * 1001 +
                 v->at.content_at + v->n_rcpts;
    for (size_t i = 0; i < v->n_rcpts; i++)
        x += (uint64_t)v->rcpts[i].next_ms * (i + 1) + v->rcpts[i].attempts;
    l->sum += x * x;
    l->n++;
    l->rcpts += v->n_rcpts;
    if (v->at.offset > l->last_offset) {
        l->last_offset = v->at.offset;
        (void)snprintf(l->last_segment, sizeof l->last_segment, "segment-%llu",
                       (unsigned long long)v->at.segment);
    }
    return true;
}

static struct looking
look_all(struct rig *r)
{
    struct looking l = {0};
    spool_list(r->store, look, &l);
    return l;
}

struct names {
    char names[20][40];
    size_t n;
};

static void
on_name(void *ctx, const char *name)
{
    struct names *all = ctx;
    if (strncmp(name, "summary-", 8) == 0 && all->n < 20)
        (void)snprintf(all->names[all->n++], 40, "%.39s", name);
}

static struct names
list(struct rig *r)
{
    const struct disk *d = simdisk_disk(r->disk);
    struct names all = {.n = 0};
    int dir = simdisk_root(r->disk);
    assert_int_equal(d->list(d->self, dir, on_name, &all), 0);
    (void)d->close(d->self, dir);
    return all;
}

static void
change_all(struct rig *r,
           void (*fn)(const struct disk *d, int dir, const char *))
{
    const struct disk *d = simdisk_disk(r->disk);
    struct names all = list(r);
    int dir = simdisk_root(r->disk);
    assert_true(all.n > 0);
    for (size_t i = 0; i < all.n; i++)
        fn(d, dir, all.names[i]);
    (void)d->close(d->self, dir);
}

static void
start_anew(struct rig *r)
{
    assert_true(rig_store_restart(r));
    rig_settle(r);
}

/* Damage where only a scan would see it tells whether there was one. */
static void
spares_the_start_the_segment(void **state)
{
    struct rig *r = *state;
    fill(r, MESSAGES);
    seal(r);
    struct looking before = look_all(r);
    assert_int_equal(before.n, MESSAGES);
    rig_store_kill(r);
    assert_true(simdisk_damage(r->disk, before.last_segment, FORMAT_BLOCK + 1));
    start_anew(r);
    assert_int_equal(r->corrupt, 0);
    struct looking after = look_all(r);
    assert_int_equal(after.n, before.n);
    assert_int_equal(after.rcpts, before.rcpts);
    assert_int_equal(after.sum, before.sum);
}

/* What is damaged is said when it is read, and held. */
static void
damage_is_found_by_who_reads(void **state)
{
    struct rig *r = *state;
    struct arena a = {0};
    struct spool_claim c;
    size_t claimed = 0;
    fill(r, MESSAGES);
    seal(r);
    struct looking before = look_all(r);
    rig_store_kill(r);
    assert_true(
        simdisk_damage(r->disk, before.last_segment, before.last_offset + 50));
    start_anew(r);
    while (spool_claim(r->store, r->now, &a, &c))
        claimed++;
    assert_int_equal(claimed, MESSAGES - 1);
    assert_int_equal(r->corrupt, 1);
    assert_int_equal(r->corrupt_at, before.last_offset);
    assert_string_equal(r->corrupt_file, before.last_segment);
    arena_fini(&a);
}

static void
shorten(const struct disk *d, int dir, const char *name)
{
    int fd = d->open(d->self, dir, name, DISK_WRITE);
    assert_int_equal(d->truncate(d->self, fd, d->size(d->self, fd) * 2 / 3), 0);
    (void)d->close(d->self, fd);
}

static void
overwrite(const struct disk *d, int dir, const char *name, bool in_the_middle)
{
    char bytes[] = "GPY1 and more of what is no piece of a summary, long "
                   "enough to be taken for one";
    struct iovec part = {bytes, sizeof bytes};
    int fd = d->open(d->self, dir, name, DISK_WRITE);
    int64_t size = d->size(d->self, fd);
    assert_int_equal(
        d->write_at(d->self, fd, &part, 1, in_the_middle ? size / 2 : size),
        sizeof bytes);
    (void)d->close(d->self, fd);
}

static void
lengthen(const struct disk *d, int dir, const char *name)
{
    overwrite(d, dir, name, false);
}

static void
hurt(const struct disk *d, int dir, const char *name)
{
    overwrite(d, dir, name, true);
}

static void
empty(const struct disk *d, int dir, const char *name)
{
    int fd = d->open(d->self, dir, name, DISK_WRITE);
    assert_int_equal(d->truncate(d->self, fd, 0), 0);
    (void)d->close(d->self, fd);
}

static void
take_away(const struct disk *d, int dir, const char *name)
{
    assert_int_equal(d->unlink(d->self, dir, name), 0);
}

/* It changes nothing, and the next start has a good one again. */
static void
whatever_happens_to_it(void **state)
{
    static void (*const changes[])(const struct disk *d, int dir,
                                   const char *name) = {
        shorten, lengthen, empty, hurt, take_away,
    };
    struct rig *r = *state;
    fill(r, MESSAGES);
    seal(r);
    struct looking before = look_all(r);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        rig_store_kill(r);
        change_all(r, changes[i]);
        start_anew(r);
        struct looking after = look_all(r);
        assert_int_equal(after.n, MESSAGES);
        assert_int_equal(after.sum, before.sum);
        assert_int_equal(r->corrupt, 0);
        assert_int_equal(r->trouble, 0);
    }
    rig_store_kill(r);
    assert_true(simdisk_damage(r->disk, before.last_segment, FORMAT_BLOCK + 1));
    start_anew(r);
    assert_int_equal(look_all(r).n, MESSAGES);
    assert_int_equal(r->corrupt, 0); // nobody looked: a summary was there
}

/* The last batch of a dead writer was read, but its sync failed: power loss
 * takes it, and nobody may say then that it was there. */
static void
tells_nothing_that_may_vanish(void **state)
{
    struct rig *r = *state;
    struct recipient rcpt = {.address = STR("a@example.net")};
    struct envelope e = {
        .sender = STR("a@example.org"), .rcpts = &rcpt, .n_rcpts = 1};
    enum spool_result why;

    fill(r, 40);
    struct spool_message *m = spool_begin(r->doors[0].door, &e, &why);
    assert_non_null(m);
    spool_commit(m, false, on_refused, NULL);
    spool_turn(r->doors[0].door); // written, and not synced
    rig_door_kill(r, 0);
    simdisk_fail(r->disk, 1, 2, EIO); // of both its segments
    seal(r);
    assert_int_equal(r->trouble, 2);
    assert_int_equal(spool_count(r->store), 41);
    assert_true(list(r).n > 0);

    struct rig x = {.disk = simdisk_crash(r->disk, SIMDISK_KEEP, 1),
                    .now = r->now};
    assert_true(rig_store_start(&x));
    spool_log_store_roll_call(x.store);
    rig_settle(&x);
    assert_int_equal(look_all(&x).n, 40);
    assert_int_equal(x.corrupt, 0);
    rig_stop(&x);
    simdisk_free(x.disk);
}

static void
goes_with_its_segment(void **state)
{
    struct rig *r = *state;
    struct arena a = {0};
    struct spool_claim c;
    fill(r, MESSAGES);
    seal(r);
    assert_true(list(r).n > 0);
    while (spool_claim(r->store, r->now, &a, &c))
        for (size_t i = 0; i < c.n_rcpts; i++) {
            struct spool_settlement x = {.id = c.id, .rcpt = c.rcpts[i].index};
            x.verdict.outcome = OUTCOME_DELIVERED;
            assert_true(spool_settle(r->store, &x));
        }
    arena_fini(&a);
    rig_settle(r);
    assert_int_equal(list(r).n, 0);
}

/* One of a segment that is no more goes at the start. */
static void
one_of_nobody_goes(void **state)
{
    struct rig *r = *state;
    const struct disk *d = simdisk_disk(r->disk);
    int dir = simdisk_root(r->disk);
    rig_store_kill(r);
    int fd = d->open(d->self, dir, "summary-3000", DISK_WRITE | DISK_CREATE);
    (void)d->close(d->self, fd);
    (void)d->close(d->self, dir);
    start_anew(r);
    assert_int_equal(list(r).n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        CASE(spares_the_start_the_segment), CASE(damage_is_found_by_who_reads),
        CASE(whatever_happens_to_it),       CASE(tells_nothing_that_may_vanish),
        CASE(goes_with_its_segment),        CASE(one_of_nobody_goes),
#undef CASE
    };
    return cmocka_run_group_tests_name("spool/summaries", tests, NULL, NULL);
}
