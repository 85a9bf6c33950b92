/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "spool/store_internal.h"
#include "spoolrig.h"

enum { AHEAD = 4096 };

static struct log_store *
inside(const struct rig *r)
{
    return store_of(r->store);
}

static void
begin(struct rig *r)
{
    *r = (struct rig){.disk = simdisk_new(), .now = {.mono_ms = 1000}};
    assert_true(rig_store_start(r));
}

static void
end(struct rig *r)
{
    rig_stop(r);
    simdisk_free(r->disk);
}

/* What power loss leaves, as the next queue finds it. */
static void
crash(struct rig *r, enum simdisk_fate fate)
{
    struct simdisk *after = simdisk_crash(r->disk, fate, 7);
    rig_store_kill(r);
    simdisk_free(r->disk);
    r->disk = after;
    assert_true(rig_store_start(r));
}

/* Whatever survives, a number that was given out comes never again. */
static void
none_comes_twice(void **state)
{
    static const enum simdisk_fate fates[] = {SIMDISK_DROP, SIMDISK_KEEP,
                                              SIMDISK_TEAR};
    struct rig r;
    uint64_t last = 0;
    (void)state;
    begin(&r);
    for (size_t i = 0; i < 9; i++) {
        for (int k = 0; k < 1500; k++) {
            uint64_t n = numbers_take(inside(&r));
            assert_true(n > last);
            last = n;
            if (k % 100 == 0)
                (void)simpool_step(&r.pool, NULL);
        }
        crash(&r, fates[i % 3]);
    }
    end(&r);
}

/* Beyond the limit on disk there is none, until a higher one is durable. */
static void
the_limit_is_durable_first(void **state)
{
    struct rig r;
    uint64_t n, count = 0;
    (void)state;
    begin(&r);
    while ((n = numbers_take(inside(&r))) != 0)
        count++;
    assert_true(count <= AHEAD);
    assert_true(simpool_step(&r.pool, NULL));
    assert_true(numbers_take(inside(&r)) > 0);
    end(&r);
}

static void
a_limit_that_cannot_be_written(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    while (numbers_take(inside(&r)) != 0)
        continue;
    simdisk_fail(r.disk, 1, 1, EIO);
    assert_true(simpool_step(&r.pool, NULL));
    assert_int_equal(r.trouble, 1);
    assert_int_equal(numbers_take(inside(&r)), 0); // and it tries again
    assert_true(simpool_step(&r.pool, NULL));
    assert_true(numbers_take(inside(&r)) > 0);
    end(&r);
}

/* Said, and what is in use is gone past. */
static void
a_damaged_counter(void **state)
{
    struct rig r;
    uint64_t most = 0;
    (void)state;
    begin(&r);
    spool_log_store_roll_call(r.store);
    rig_settle(&r); // makes segments
    for (size_t i = 0; i < inside(&r)->n_segments; i++) {
        const struct store_segment *g = inside(&r)->segments[i];
        most = g != NULL && g->number > most ? g->number : most;
    }
    assert_true(most > 0);
    rig_store_kill(&r);
    assert_true(simdisk_damage(r.disk, "counter", 9));
    assert_true(rig_store_start(&r));
    assert_int_equal(r.corrupt, 1);
    assert_string_equal(r.corrupt_file, "counter");
    assert_true(numbers_take(inside(&r)) > most);
    end(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_comes_twice),
        cmocka_unit_test(the_limit_is_durable_first),
        cmocka_unit_test(a_limit_that_cannot_be_written),
        cmocka_unit_test(a_damaged_counter),
    };
    return cmocka_run_group_tests_name("spool/numbers", tests, NULL, NULL);
}
