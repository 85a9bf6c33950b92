/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "spool/reader.h"
#include "spoolrig.h"

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

struct answer {
    int calls;
    enum spool_result result;
    struct msgid id;
};

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    struct answer *a = ctx;
    a->calls++;
    a->result = result;
    a->id = id;
}

static void
commit_to(struct rig *r, int door, size_t size, struct recipient *rcpts,
          size_t n, struct answer *a)
{
    struct envelope e = {.sender = STR("a@example.org"),
                         .rcpts = rcpts,
                         .n_rcpts = n,
                         .arrived_ms = r->now.wall_ms};
    enum spool_result why;
    struct buf b = {0};
    struct spool_message *m = spool_begin(r->doors[door].door, &e, &why);
    *a = (struct answer){.result = why};
    if (m == NULL) {
        a->calls = 1;
        return;
    }
    memset(buf_reserve(&b, size), 'x', size);
    b.n = size;
    if (!spool_chunk(m, buf_str(&b)))
        rig_settle(r);
    spool_commit(m, true, on_stored, a);
    buf_fini(&b);
}

static void
commit(struct rig *r, int door, size_t size, struct answer *a)
{
    struct recipient rcpt = {.address = STR("b@example.net")};
    commit_to(r, door, size, &rcpt, 1, a);
}

static struct msgid
store(struct rig *r, int door, size_t size)
{
    struct answer a;
    commit(r, door, size, &a);
    rig_settle(r);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.result, SPOOL_OK);
    return a.id;
}

/* Everything due gets that outcome; how many there were. */
static size_t
work(struct rig *r, size_t max, enum outcome outcome)
{
    size_t n = 0;
    struct arena a = {0};
    struct spool_claim c;
    while (n < max && spool_claim(r->store, r->now, &a, &c)) {
        struct spool_settlement x = {.id = c.id,
                                     .next_ms = r->now.wall_ms + 1000000};
        x.verdict.outcome = outcome;
        assert_true(spool_settle(r->store, &x));
        n++;
    }
    arena_fini(&a);
    return n;
}

/* ---- tickets ------------------------------------------------------------- */

static void
a_sync_that_began_before_releases_nothing(void **state)
{
    struct rig *r = *state;
    struct rig_door *d = &r->doors[0];
    struct answer first, second;

    commit(r, 0, 100, &first);
    spool_turn(d->door); // written; idle, so its sync starts at once
    assert_int_equal(d->pool.n, 1);
    commit(r, 0, 100, &second);
    spool_turn(d->door); // waits: one sync at a time
    assert_int_equal(d->pool.n, 1);
    assert_int_equal(first.calls, 0);
    assert_true(simpool_step(&d->pool, NULL));
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);
    spool_turn(d->door);
    assert_int_equal(d->pool.n, 1);
    assert_true(simpool_step(&d->pool, NULL));
    assert_int_equal(second.calls, 1);
}

static void
a_failed_sync_is_not_repeated(void **state)
{
    struct rig *r = *state;
    struct rig_door *d = &r->doors[0];
    struct answer a, b, c;

    commit(r, 0, 100, &a);
    spool_turn(d->door);
    simdisk_fail(r->disk, 1, 1, EIO);
    assert_true(simpool_step(&d->pool, NULL));
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.result, SPOOL_TROUBLE);
    assert_int_equal(d->pool.n, 0);
    commit(r, 0, 100, &b); // goes into the next segment
    spool_turn(d->door);
    simdisk_fail(r->disk, 1, 1, EIO);
    assert_true(simpool_step(&d->pool, NULL));
    assert_int_equal(b.result, SPOOL_CLOSED);
    commit(r, 0, 100, &c);
    assert_int_equal(c.result, SPOOL_CLOSED);
}

static void
no_room_is_ordinary(void **state)
{
    struct rig *r = *state;
    struct answer a;
    // Nobody runs the queue: what the door has is all there is.
    size_t n = 0;
    for (a.result = SPOOL_OK; a.result == SPOOL_OK && n < 100; n++) {
        commit(r, 0, 60000, &a);
        spool_turn(r->doors[0].door);
        while (simpool_step(&r->doors[0].pool, NULL))
            continue;
        assert_int_equal(a.calls, 1);
    }
    assert_int_equal(a.result, SPOOL_FULL);
    assert_true(n >= 6);
    rig_settle(r); // the queue hands over new ones
    (void)store(r, 0, 60000);
    assert_int_equal(spool_count(r->store), n);
}

static void
bodies_beyond_memory_spill(void **state)
{
    struct rig *r = *state;
    struct answer a[4];
    rig_stop(r);
    simdisk_free(r->disk);
    r->body_memory = 10000;
    rig_init(r, simdisk_new());
    for (int i = 0; i < 4; i++)
        commit(r, 0, 7000, &a[i]);
    rig_settle(r);
    size_t large = 0;
    for (int i = 0; i < 4; i++) {
        struct arena arena = {0};
        struct spool_view v;
        assert_int_equal(a[i].result, SPOOL_OK);
        assert_true(spool_show(r->store, a[i].id, &arena, &v));
        large += v.at.large != 0;
        arena_fini(&arena);
    }
    assert_true(large >= 2);
    assert_true(large < 4);
}

/* ---- the store ----------------------------------------------------------- */

static void
damage_is_said_and_the_rest_served(void **state)
{
    struct rig *r = *state;
    struct arena a = {0};
    struct spool_view v;
    struct msgid ids[5];
    char name[40];

    for (int i = 0; i < 5; i++)
        ids[i] = store(r, 0, 3000);
    assert_true(spool_show(r->store, ids[2], &a, &v));
    (void)snprintf(name, sizeof name, "segment-%llu",
                   (unsigned long long)v.at.segment);
    for (int i = 0; i < RIG_DOORS; i++)
        rig_door_kill(r, i);
    rig_settle(r); // sealed: its end is known
    rig_store_kill(r);
    assert_true(simdisk_damage(r->disk, name, v.at.offset + 50));
    // Without its summary it is read (summaries.c has the other case).
    const struct disk *d = simdisk_disk(r->disk);
    int dir = simdisk_root(r->disk);
    (void)snprintf(name, sizeof name, "summary-%llu",
                   (unsigned long long)v.at.segment);
    assert_int_equal(d->unlink(d->self, dir, name), 0);
    (void)d->close(d->self, dir);
    (void)snprintf(name, sizeof name, "segment-%llu",
                   (unsigned long long)v.at.segment);
    assert_true(rig_store_restart(r));
    rig_settle(r);
    assert_int_equal(r->corrupt, 1);
    assert_string_equal(r->corrupt_file, name);
    assert_true(r->corrupt_at <= v.at.offset + 50);
    assert_int_equal(spool_count(r->store), 4);
    assert_int_equal(work(r, 10, OUTCOME_DELIVERED), 4);
    arena_fini(&a);
}

static void
cut(struct rig *r, const char *name, uint64_t size)
{
    const struct disk *d = simdisk_disk(r->disk);
    int dir = simdisk_root(r->disk);
    int fd = d->open(d->self, dir, name, DISK_WRITE);
    assert_true(fd >= 0);
    assert_int_equal(d->truncate(d->self, fd, (int64_t)size), 0);
    (void)d->close(d->self, fd);
    (void)d->close(d->self, dir);
}

/* Shorter than its header says: said, what is left is served, and the file
 * goes when nothing in it is needed. */
static void
a_file_cut_short(void **state)
{
    struct rig *r = *state;
    struct arena a = {0};
    struct spool_view v[5];
    struct answer answers[5];
    char name[40];

    commit(r, 0, 3000, &answers[0]);
    rig_settle(r);
    for (int i = 1; i < 5; i++) // of one batch
        commit(r, 0, 3000, &answers[i]);
    rig_settle(r);
    for (int i = 0; i < 5; i++)
        assert_true(spool_show(r->store, answers[i].id, &a, &v[i]));
    (void)snprintf(name, sizeof name, "segment-%llu",
                   (unsigned long long)v[0].at.segment);
    for (int i = 0; i < RIG_DOORS; i++)
        rig_door_kill(r, i);
    rig_settle(r);
    rig_store_kill(r);
    cut(r, name, v[3].at.offset + 50);
    for (int start = 1; start <= 2; start++) {
        assert_true(rig_store_restart(r));
        assert_true(r->corrupt >= start);
        assert_string_equal(r->corrupt_file, name);
        assert_int_equal(r->corrupt_at, v[3].at.offset + 50);
        rig_settle(r);
        assert_int_equal(spool_count(r->store), 3);
    }
    assert_int_equal(work(r, 10, OUTCOME_DELIVERED), 3);
    for (int i = 0; i < 40; i++)
        rig_settle(r);
    const struct disk *d = simdisk_disk(r->disk);
    int dir = simdisk_root(r->disk);
    assert_int_equal(d->open(d->self, dir, name, DISK_READ), -1);
    (void)d->close(d->self, dir);
    arena_fini(&a);
}

struct biggest {
    const struct disk *d;
    int dir;
    char names[12][40];
    size_t n;
};

static void
on_segment_name(void *ctx, const char *name)
{
    struct biggest *b = ctx;
    if (strncmp(name, "segment-", 8) == 0 && b->n < 12)
        (void)snprintf(b->names[b->n++], 40, "%.39s", name);
}

/* Any file, ledgers too, at any length: what is there is served. */
static void
files_cut_anywhere(void **state)
{
    struct rig *r = *state;
    struct biggest b = {.d = simdisk_disk(r->disk),
                        .dir = simdisk_root(r->disk)};
    for (int i = 0; i < 10; i++)
        (void)store(r, i % 2, 2000);
    assert_int_equal(work(r, 4, OUTCOME_LATER), 4);
    assert_int_equal(work(r, 2, OUTCOME_DELIVERED), 2);
    rig_settle(r);
    for (int i = 0; i < RIG_DOORS; i++)
        rig_door_kill(r, i);
    rig_settle(r);
    assert_int_equal(b.d->list(b.d->self, b.dir, on_segment_name, &b), 0);
    (void)b.d->close(b.d->self, b.dir);
    for (size_t i = 0; i < b.n; i++)
        for (uint64_t size = 4096 + 30000; size >= 4096; size -= 1000) {
            struct rig x = {.now = r->now};
            x.disk = simdisk_crash(r->disk, SIMDISK_KEEP, 1);
            cut(&x, b.names[i], size);
            assert_true(rig_store_start(&x));
            spool_log_store_roll_call(x.store);
            rig_settle(&x);
            assert_true(spool_count(x.store) <= 10);
            (void)work(&x, 20, OUTCOME_DELIVERED);
            rig_settle(&x);
            assert_true(spool_log_store_idle(x.store));
            rig_stop(&x);
            simdisk_free(x.disk);
        }
}

static void
unreadable_is_held(void **state)
{
    struct rig *r = *state;
    struct arena a = {0};
    struct spool_view v;
    struct spool_claim c;
    char name[40];
    struct msgid id = store(r, 0, 3000);

    assert_true(spool_show(r->store, id, &a, &v));
    (void)snprintf(name, sizeof name, "segment-%llu",
                   (unsigned long long)v.at.segment);
    assert_true(simdisk_damage(r->disk, name, v.at.offset + 50));
    assert_false(spool_claim(r->store, r->now, &a, &c));
    assert_true(r->corrupt > 0);
    assert_true(spool_show(r->store, id, &a, &v));
    assert_true(v.held);
    assert_true(str_find(v.hold_reason, STR("damaged")) >= 0);
    arena_fini(&a);
}

static void
disk_in_proportion_to_what_lives(void **state)
{
    struct rig *r = *state;
    struct spool_log_usage u;
    // 300 messages, one in 20 survives its first attempt.
    for (int i = 0; i < 300; i++) {
        (void)store(r, i % 2, 30000);
        assert_int_equal(
            work(r, 1, i % 20 == 0 ? OUTCOME_LATER : OUTCOME_DELIVERED), 1);
    }
    for (int i = 0; i < 40; i++)
        rig_settle(r);
    spool_log_store_usage(r->store, &u);
    assert_int_equal(u.messages, 15);
    assert_true(u.live_bytes > 15 * 30000);
    // 6 in hand of writers, 2 ledgers and 3 of slack, 1 of the mover, spare
    // ones, 2 of waste: beyond them twice what lives.
    assert_true(u.disk_bytes <= 2 * u.live_bytes + 18 * (256 << 10));
    assert_int_equal(r->trouble, 0);
    r->now.wall_ms += 2000000;
    assert_int_equal(work(r, 100, OUTCOME_DELIVERED), 15);
}

/* The deferred state must survive its ledger. */
static void
ledgers_do_not_grow_for_ever(void **state)
{
    struct rig *r = *state;
    struct spool_log_usage before, after;
    struct arena a = {0};
    struct spool_view v;
    struct msgid id = store(r, 0, 100);

    assert_int_equal(work(r, 1, OUTCOME_LATER), 1);
    (void)spool_hold(r->store, id, STR("kept"));
    rig_settle(r);
    spool_log_store_usage(r->store, &before);
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 400; i++)
            (void)spool_reschedule(r->store, id, 5000000 + i);
        rig_settle(r);
    }
    spool_log_store_usage(r->store, &after);
    assert_true(after.disk_bytes <= before.disk_bytes + 6 * (256 << 10));
    assert_true(rig_store_restart(r));
    rig_settle(r);
    assert_true(spool_show(r->store, id, &a, &v));
    assert_int_equal(v.rcpts[0].attempts, 1);
    assert_int_equal(v.rcpts[0].next_ms, 5000399);
    assert_true(str_eq(v.hold_reason, STR("kept")));
    arena_fini(&a);
}

/* Writing again what is needed must end, however much of it there is. */
static void
much_news_is_not_written_for_ever(void **state)
{
    enum { RCPTS = 6000 };
    struct rig *r = *state;
    struct recipient *rcpts = alloc_array(RCPTS, sizeof *rcpts);
    struct spool_log_usage u;
    struct arena a = {0};
    struct spool_view v;
    struct spool_claim c;
    struct answer answer;

    for (size_t i = 0; i < RCPTS; i++)
        rcpts[i].address = STR("b@example.net");
    commit_to(r, 0, 100, rcpts, RCPTS, &answer);
    free(rcpts);
    rig_settle(r);
    assert_int_equal(answer.result, SPOOL_OK);
    assert_true(spool_claim(r->store, r->now, &a, &c));
    for (size_t i = 0; i < c.n_rcpts; i++) {
        struct spool_settlement x = {.id = c.id,
                                     .rcpt = c.rcpts[i].index,
                                     .next_ms = r->now.wall_ms + 1000000};
        x.verdict.outcome = OUTCOME_LATER;
        x.verdict.text = STR("450 4.2.1 The mailbox is busy; if it stays so, "
                             "ask the people of example.net for the reason");
        assert_true(spool_settle(r->store, &x));
    }
    for (int i = 0; i < 3; i++)
        rig_settle(r);
    assert_true(spool_log_store_idle(r->store));
    spool_log_store_usage(r->store, &u);
    assert_true(u.disk_bytes <= 24 * (256 << 10));
    assert_true(rig_store_restart(r));
    rig_settle(r);
    assert_true(spool_show(r->store, answer.id, &a, &v));
    assert_int_equal(v.n_rcpts, RCPTS);
    for (size_t i = 0; i < RCPTS; i++)
        assert_int_equal(v.rcpts[i].attempts, 1);
    arena_fini(&a);
}

static void
commit_many(struct rig *r, int n)
{
    struct answer a;
    for (int i = 0; i < n; i++)
        commit(r, 0, 20, &a);
    rig_settle(r);
}

/* A part of each segment has ended, the larger part was never tried. */
static void
many_ends_are_not_told_for_ever(void **state)
{
    enum { ROUNDS = 30, MANY = 1000 };
    struct rig *r = *state;
    struct arena a = {0};
    struct spool_claim c;

    for (int round = 0; round < ROUNDS; round++) {
        commit_many(r, MANY);
        for (int i = 0; spool_claim(r->store, r->now, &a, &c); i++) {
            struct spool_settlement x = {.id = c.id};
            x.verdict.outcome = OUTCOME_DELIVERED;
            if (i % 5 < 2)
                assert_true(spool_settle(r->store, &x));
            else
                spool_unlease(r->store, c.id, 0, r->now.wall_ms + 9000000);
            arena_reset(&a);
        }
        rig_settle(r);
    }
    rig_settle(r);
    assert_true(spool_log_store_idle(r->store));
    assert_int_equal(spool_count(r->store), ROUNDS * MANY * 3 / 5);
    assert_true(rig_store_restart(r));
    rig_settle(r);
    assert_int_equal(spool_count(r->store), ROUNDS * MANY * 3 / 5);
    arena_fini(&a);
}

static void
a_granted_segment_is_not_used_anew(void **state)
{
    struct rig *r = *state;
    struct arena a = {0};
    struct spool_claim c;
    struct spool_reader reader;
    struct str bytes;
    struct err e;

    struct msgid id = store(r, 0, 3000);
    assert_true(spool_claim(r->store, r->now, &a, &c));
    int fd = spool_log_store_grant(r->store, c.at.segment);
    assert_true(fd >= 0);
    struct spool_settlement x = {.id = id};
    x.verdict.outcome = OUTCOME_DELIVERED;
    assert_true(spool_settle(r->store, &x));
    for (int i = 0; i < 40; i++) { // enough to fill segments
        (void)store(r, 0, 30000);
        assert_int_equal(work(r, 1, OUTCOME_DELIVERED), 1);
    }
    assert_true(r->forget > 0);
    const struct disk *d = simdisk_disk(r->disk);
    assert_true(spool_reader_open(&reader, d, fd, -1, id, &c.at, &e));
    assert_true(spool_reader_next(&reader, &bytes, &e));
    assert_int_equal(bytes.n, 3000);
    spool_reader_close(&reader);
    struct msgid other = {id.writer, id.seq + 1};
    assert_false(spool_reader_open(&reader, d, fd, -1, other, &c.at, &e));
    struct spool_locator wrong = c.at;
    wrong.generation++;
    assert_false(spool_reader_open(&reader, d, fd, -1, id, &wrong, &e));
    int twin = simdisk_dup(r->disk, fd);
    spool_log_store_ungrant(r->store, c.at.segment);
    rig_settle(r); // now it retires: the same bytes say nothing any more
    spool_log_store_ungrant(r->store, c.at.segment); // once too often: nothing
    assert_int_equal(spool_log_store_grant(r->store, 999999), -1);
    (void)d->close(d->self, twin);
    arena_fini(&a);
}

static void
large_files_end_with_their_messages(void **state)
{
    struct rig *r = *state;
    struct spool_reader reader;
    struct arena a = {0};
    struct spool_view v;
    struct str bytes;
    struct err e;
    uint64_t sum = 0;

    struct msgid id = store(r, 0, 400000);
    assert_true(spool_show(r->store, id, &a, &v));
    assert_true(v.at.large != 0);
    int fd = spool_log_store_grant(r->store, v.at.segment);
    int large = spool_log_store_large(r->store, v.at.large);
    assert_true(large >= 0);
    const struct disk *d = simdisk_disk(r->disk);
    assert_true(spool_reader_open(&reader, d, fd, large, id, &v.at, &e));
    assert_true(reader.needs_stuffing);
    while (spool_reader_next(&reader, &bytes, &e) && bytes.n > 0)
        sum += bytes.n;
    assert_int_equal(sum, 400000);
    spool_log_store_ungrant(r->store, v.at.segment);
    assert_int_equal(work(r, 1, OUTCOME_DELIVERED), 1);
    rig_settle(r);
    assert_int_equal(spool_log_store_large(r->store, v.at.large), -1);
    spool_reader_rewind(&reader); // whoever has it open reads on
    assert_true(spool_reader_next(&reader, &bytes, &e));
    assert_true(bytes.n > 0);
    spool_reader_close(&reader);
    (void)d->close(d->self, large);
    arena_fini(&a);
}

static void
words_that_cannot_be(void **state)
{
    struct rig *r = *state;
    struct spool_store *s = r->store;
    uint64_t w = r->doors[0].writer;

    assert_int_equal(spool_log_store_attach(s, 99999999, false), 0);
    assert_false(spool_log_store_watermark(s, w, 999, 1, 8192));
    assert_false(spool_log_store_sealed(s, w, 999, 1, 8192));
    assert_false(spool_log_store_large_free(s, w, 999999));
    assert_false(spool_log_store_holding(s, 424242, 1, 1, 4096, 0));
}

static void
in_hand_at_a_crash(void **state)
{
    struct rig *r = *state;
    struct arena a = {0};
    struct spool_claim c;
    struct spool_view v;
    struct msgid id = store(r, 0, 100);

    for (uint32_t i = 0; i < 3; i++) {
        assert_true(spool_claim(r->store, r->now, &a, &c));
        assert_int_equal(c.crashes, i);
        spool_handed(r->store, id);
        rig_settle(r);
        assert_true(rig_store_restart(r)); // with it in hand
        rig_settle(r);
    }
    assert_false(spool_claim(r->store, r->now, &a, &c));
    assert_true(spool_show(r->store, id, &a, &v));
    assert_true(v.held);
    // A worker that comes back with it: no crash.
    assert_true(spool_release(r->store, id, 0));
    assert_true(spool_claim(r->store, r->now, &a, &c));
    spool_handed(r->store, id);
    rig_settle(r);
    assert_true(rig_store_restart(r));
    rig_settle(r);
    assert_true(spool_lease(r->store, id, 0));
    spool_unlease(r->store, id, 0, 0);
    assert_true(spool_claim(r->store, r->now, &a, &c));
    assert_int_equal(c.crashes, 0);
    arena_fini(&a);
}

static void
a_full_disk_refuses_and_recovers(void **state)
{
    struct rig *r = *state;
    struct answer a = {0};
    size_t stored = 0;

    simdisk_capacity(r->disk, 6 << 20);
    for (int i = 0; i < 300; i++) {
        commit(r, 0, 60000, &a);
        rig_settle(r);
        stored += a.result == SPOOL_OK;
        if (a.result == SPOOL_FULL)
            break;
    }
    assert_int_equal(a.result, SPOOL_FULL);
    assert_int_equal(r->pressure, SPOOL_PRESSURE_FULL);
    assert_int_equal(spool_count(r->store), stored);
    assert_int_equal(work(r, 1000, OUTCOME_DELIVERED), stored);
    for (int i = 0; i < 5; i++) {
        r->now.mono_ms += 2000;
        rig_settle(r);
    }
    assert_int_equal(r->pressure, SPOOL_PRESSURE_NONE);
    (void)store(r, 0, 60000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        CASE(a_sync_that_began_before_releases_nothing),
        CASE(a_failed_sync_is_not_repeated),
        CASE(no_room_is_ordinary),
        CASE(bodies_beyond_memory_spill),
        CASE(damage_is_said_and_the_rest_served),
        CASE(a_file_cut_short),
        CASE(files_cut_anywhere),
        CASE(unreadable_is_held),
        CASE(disk_in_proportion_to_what_lives),
        CASE(ledgers_do_not_grow_for_ever),
        CASE(much_news_is_not_written_for_ever),
        CASE(many_ends_are_not_told_for_ever),
        CASE(a_granted_segment_is_not_used_anew),
        CASE(large_files_end_with_their_messages),
        CASE(words_that_cannot_be),
        CASE(in_hand_at_a_crash),
        CASE(a_full_disk_refuses_and_recovers),
#undef CASE
    };
    return cmocka_run_group_tests_name("spool/store", tests, NULL, NULL);
}
