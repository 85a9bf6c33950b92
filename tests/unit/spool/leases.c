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

enum { IDS = 400, PER_PAGE = 170, SLOT = 24 }; /* more than two pages */

static struct log_store *
inside(const struct rig *r)
{
    return store_of(r->store);
}

static struct msgid
id_of(uint64_t i)
{
    return (struct msgid){1 + i % 3, i};
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

static void
take_all(struct rig *r)
{
    for (uint64_t i = 0; i < IDS; i++)
        leases_take(inside(r), id_of(i));
    leases_turn(inside(r));
}

static size_t
in_doubt(const struct rig *r)
{
    size_t n = 0;
    for (uint64_t i = 0; i < IDS; i++)
        n += leases_in_doubt(inside(r), id_of(i));
    return n;
}

static void
killed(struct rig *r)
{
    rig_store_kill(r);
    assert_true(rig_store_start(r));
}

static void
what_was_in_hand_is_in_doubt(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    assert_int_equal(in_doubt(&r), 0);
    take_all(&r);
    killed(&r);
    assert_int_equal(in_doubt(&r), IDS);
    killed(&r); // nobody took them again
    assert_int_equal(in_doubt(&r), 0);
    end(&r);
}

static void
what_came_back_is_not(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    take_all(&r);
    for (uint64_t i = 0; i < IDS; i += 2)
        leases_drop(inside(&r), id_of(i));
    leases_drop(inside(&r), id_of(0)); // once is enough
    leases_take(inside(&r), id_of(1)); // so it is with taking
    leases_turn(inside(&r));
    killed(&r);
    assert_int_equal(in_doubt(&r), IDS / 2);
    assert_false(leases_in_doubt(inside(&r), id_of(0)));
    assert_true(leases_in_doubt(inside(&r), id_of(1)));
    end(&r);
}

/* Places are used again: the file does not grow with the traffic. */
static void
places_are_used_again(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    for (int round = 0; round < 20; round++) {
        take_all(&r);
        for (uint64_t i = 0; i < IDS; i++)
            leases_drop(inside(&r), id_of(i));
    }
    take_all(&r);
    const struct disk *d = simdisk_disk(r.disk);
    int dir = simdisk_root(r.disk);
    int fd = d->open(d->self, dir, "leases", DISK_READ);
    assert_true(d->size(d->self, fd) <= 3 * 4096);
    (void)d->close(d->self, fd);
    (void)d->close(d->self, dir);
    killed(&r);
    assert_int_equal(in_doubt(&r), IDS);
    end(&r);
}

static void
an_orderly_end_is_no_crash(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    take_all(&r);
    struct simdisk *disk = r.disk;
    rig_stop(&r);
    r = (struct rig){.disk = disk};
    assert_true(rig_store_start(&r));
    assert_int_equal(in_doubt(&r), 0);
    end(&r);
}

/* A damaged place is none; the others count. */
static void
damage(void **state)
{
    static const uint64_t places[] = {0, 9, PER_PAGE - 1, PER_PAGE, IDS - 1};
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct rig r;
        uint64_t at =
            places[i] / PER_PAGE * 4096 + places[i] % PER_PAGE * SLOT + 17;
        begin(&r);
        take_all(&r);
        rig_store_kill(&r);
        assert_true(simdisk_damage(r.disk, "leases", at));
        assert_true(rig_store_start(&r));
        assert_int_equal(in_doubt(&r), IDS - 1);
        assert_false(leases_in_doubt(inside(&r), id_of(places[i])));
        end(&r);
    }
}

/* Said once; deliveries go on, and crashes are not counted. */
static void
a_write_that_fails(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    simdisk_fail(r.disk, 1, 1, EIO);
    take_all(&r);
    assert_int_equal(r.trouble, 1);
    leases_drop(inside(&r), id_of(0));
    leases_turn(inside(&r));
    assert_int_equal(r.trouble, 1);
    end(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_in_hand_is_in_doubt),
        cmocka_unit_test(what_came_back_is_not),
        cmocka_unit_test(places_are_used_again),
        cmocka_unit_test(an_orderly_end_is_no_crash),
        cmocka_unit_test(damage),
        cmocka_unit_test(a_write_that_fails),
    };
    return cmocka_run_group_tests_name("spool/leases", tests, NULL, NULL);
}
