/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "directory/brake.h"

static const struct instant start = {.wall_ms = 1000000, .mono_ms = 5000};

static struct brake
fresh(void)
{
    return (struct brake){.failures = BRAKE_FAILURES};
}

static int64_t
attempt(struct brake *b, const char *user, const char *client)
{
    return brake_begin(b, str_from(user), str_from(client), start);
}

static void
fail_times(struct brake *b, const char *user, const char *client, int n)
{
    for (int i = 0; i < n; i++)
        (void)attempt(b, user, client);
}

/* Each after the one before it has been checked, and more than that not. */
static void
from_the_tenth_on(void **state)
{
    static const int64_t waits[] = {0, 0,    0,    0,    0,     0,  0, 0,
                                    0, 1000, 3000, 7000, 15000, -1, -1};
    struct brake b = fresh();
    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        assert_int_equal(attempt(&b, i % 2 == 0 ? "ann" : "Ann", "127.0.0.1"),
                         waits[i]);
    assert_int_equal(attempt(&b, "bob", "127.0.0.1"), 0);
    // who comes later finds them checked
    struct instant later = {.wall_ms = start.wall_ms + 14000,
                            .mono_ms = start.mono_ms + 14000};
    assert_int_equal(brake_begin(&b, STR("ann"), STR("::1"), later), 11000);
    brake_fini(&b);

    b.failures = 0; // switched off
    fail_times(&b, "ann", "192.0.2.1", 100);
    assert_int_equal(attempt(&b, "ann", "192.0.2.1"), 0);
    brake_fini(&b);
    b = (struct brake){.failures = 1};
    assert_int_equal(attempt(&b, "ann", "192.0.2.1"), 0);
    assert_int_equal(attempt(&b, "ann", "192.0.2.1"), 2000);
    brake_fini(&b);
}

static void
networks(void **state)
{
    static const struct {
        const char *failed, *asks;
        bool same;
    } cases[] = {
        {"192.0.2.1",            "192.0.2.1",            true },
        {"192.0.2.1",            "192.0.2.200",          true },
        {"192.0.2.1",            "192.0.20.1",           false},
        {"2001:db8:1:2::1",      "2001:db8:1:2:3:4:5:6", true },
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:3:3:4:5:6", false},
        {"2001:db8::1",          "2001:db8:0:0:1::",     true },
        {"2001:db8::1",          "2001:db8:0:1::",       false},
        {"127.0.0.1",            "127.0.0.1",            false},
        {"::1",                  "::1",                  false},
        {"",                     "",                     false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct brake b = fresh();
        fail_times(&b, "ann", cases[i].failed, 9);
        if ((attempt(&b, "bob", cases[i].asks) > 0) != cases[i].same)
            fail_msg("%s %s", cases[i].failed, cases[i].asks);
        brake_fini(&b);
    }
}

static void
succeed(struct brake *b, const char *user, const char *client)
{
    (void)attempt(b, user, client);
    brake_succeeded(b, str_from(user), str_from(client), start);
}

/* Whom the whole world guesses at comes in from where they are known. */
static void
known_pairs(void **state)
{
    struct brake b = fresh();
    struct instant later = start;
    (void)state;

    succeed(&b, "ann", "192.0.2.1");
    fail_times(&b, "ann", "198.51.100.1", 20);
    assert_true(attempt(&b, "ann", "203.0.113.1") != 0);
    assert_int_equal(attempt(&b, "ann", "192.0.2.77"), 0);
    // but is slowed down there, too
    fail_times(&b, "ann", "192.0.2.1", 8);
    assert_int_equal(attempt(&b, "ann", "192.0.2.1"), 1000);
    // which is forgiven with the next success
    brake_succeeded(&b, STR("ann"), STR("192.0.2.1"), start);
    assert_int_equal(attempt(&b, "ann", "192.0.2.1"), 0);

    later.wall_ms += (int64_t)31 * 24 * 3600 * 1000;
    assert_int_equal(brake_begin(&b, STR("ann"), STR("192.0.2.1"), later), 0);
    later.mono_ms += 1;
    for (int i = 0; i < 9; i++) // known no more: counted with the account
        (void)brake_begin(&b, STR("ann"), STR("203.0.113.1"), later);
    assert_true(brake_begin(&b, STR("ann"), STR("192.0.2.1"), later) != 0);
    brake_fini(&b);
}

static void
forgetting(void **state)
{
    struct brake b = fresh();
    struct instant later = start;
    (void)state;

    fail_times(&b, "ann", "192.0.2.1", 8);
    for (int i = 0; i < 40; i++) // busy, and always right
        succeed(&b, "kim", "192.0.2.1");
    assert_int_equal(attempt(&b, "bob", "192.0.2.1"), 0);
    assert_int_equal(attempt(&b, "bob", "192.0.2.1"), 1000);
    brake_undo(&b, STR("bob"), STR("192.0.2.1"), start); // was not checked
    later.mono_ms += 60000;
    later.wall_ms += 29 * 60 * 1000;
    assert_int_equal(brake_begin(&b, STR("lou"), STR("192.0.2.1"), later),
                     1000);
    later.mono_ms += 60000;
    later.wall_ms += 31 * 60 * 1000;
    assert_int_equal(brake_begin(&b, STR("lou"), STR("192.0.2.1"), later), 0);
    // a clock that was set back keeps nobody out
    fail_times(&b, "eve", "198.51.100.1", 12);
    later.mono_ms += 60000;
    later.wall_ms = start.wall_ms - (int64_t)3600 * 1000;
    assert_int_equal(brake_begin(&b, STR("eve"), STR("127.0.0.1"), later), 0);
    brake_fini(&b);
}

static void
saved(void **state)
{
    struct brake b = fresh(), again = fresh();
    struct buf octets = {0};
    (void)state;

    succeed(&b, "kim", "192.0.2.1");
    fail_times(&b, "ann", "198.51.100.1", 9);
    assert_true(b.changed);
    brake_save(&b, &octets);
    assert_false(b.changed);
    assert_true(brake_load(&again, buf_str(&octets)));
    assert_int_equal(again.entries.count, b.entries.count);
    assert_int_equal(attempt(&again, "ann", "203.0.113.1"), 1000);
    assert_int_equal(attempt(&again, "bob", "198.51.100.1"), 1000);
    fail_times(&again, "kim", "203.0.113.1", 9);
    assert_int_equal(attempt(&again, "kim", "192.0.2.1"), 0);
    brake_fini(&again);

    for (size_t n = 0; n < octets.n; n++)
        assert_false(brake_load(&again, str_first(buf_str(&octets), n)));
    buf_add_char(&octets, 'x');
    assert_false(brake_load(&again, buf_str(&octets)));
    assert_int_equal(again.entries.count, 0);
    buf_fini(&octets);
    brake_fini(&b);
}

/* A flood of names costs a bounded amount of memory, and does not wash out
 * who is known. */
static void
bounded(void **state)
{
    struct brake b = fresh();
    struct buf user = {0};
    (void)state;
    succeed(&b, "kim", "192.0.2.1");
    for (int i = 0; i < 300000; i++) {
        buf_clear(&user);
        buf_addf(&user, "user%d", i);
        (void)brake_begin(&b, buf_str(&user), STR(""), start);
    }
    assert_true(b.entries.count <= 100001);
    fail_times(&b, "kim", "203.0.113.1", 20);
    assert_int_equal(attempt(&b, "kim", "192.0.2.1"), 0);
    buf_fini(&user);
    brake_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_tenth_on),
        cmocka_unit_test(networks),
        cmocka_unit_test(known_pairs),
        cmocka_unit_test(forgetting),
        cmocka_unit_test(saved),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests_name("directory/brake", tests, NULL, NULL);
}
