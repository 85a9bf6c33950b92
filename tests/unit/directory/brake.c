/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "directory/brake.h"

static const struct instant start = {.mono_ms = 5000};

static void
fail_times(struct brake *b, const char *user, const char *client, int n)
{
    for (int i = 0; i < n; i++)
        brake_failed(b, str_from(user), str_from(client), start);
}

static int64_t
delay(struct brake *b, const char *user, const char *client)
{
    return brake_delay_ms(b, str_from(user), str_from(client), start);
}

static void
from_the_tenth_on(void **state)
{
    static const struct {
        int failures;
        int64_t delay_ms;
    } cases[] = {
        {0,  0    },
        {8,  0    },
        {9,  1000 },
        {10, 2000 },
        {11, 4000 },
        {12, 8000 },
        {13, 10000},
        {70, 10000}
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct brake b = {0};
        fail_times(&b, "ann", "127.0.0.1", cases[i].failures);
        assert_int_equal(delay(&b, "Ann", "192.0.2.1"), cases[i].delay_ms);
        assert_int_equal(delay(&b, "bob", "127.0.0.1"), 0);
        brake_fini(&b);
    }
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
        struct brake b = {0};
        fail_times(&b, "ann", cases[i].failed, 9);
        if ((delay(&b, "bob", cases[i].asks) > 0) != cases[i].same)
            fail_msg("%s %s", cases[i].failed, cases[i].asks);
        brake_fini(&b);
    }
}

static void
forgiving(void **state)
{
    struct brake b = {0};
    struct instant later = start;
    (void)state;

    fail_times(&b, "ann", "192.0.2.1", 9);
    brake_succeeded(&b, STR("ann"));
    assert_int_equal(delay(&b, "ann", "198.51.100.1"), 0);
    assert_int_equal(delay(&b, "bob", "192.0.2.1"), 1000);

    later.mono_ms += 15 * 60 * 1000; // counted still, as the older period
    assert_int_equal(brake_delay_ms(&b, STR("bob"), STR("192.0.2.1"), later),
                     1000);
    later.mono_ms += 15 * 60 * 1000;
    assert_int_equal(brake_delay_ms(&b, STR("bob"), STR("192.0.2.1"), later),
                     0);
    brake_fini(&b);
}

/* A flood of names costs a bounded amount of memory. */
static void
bounded(void **state)
{
    struct brake b = {0};
    struct buf user = {0};
    (void)state;
    for (int i = 0; i < 200000; i++) {
        buf_clear(&user);
        buf_addf(&user, "user%d", i);
        brake_failed(&b, buf_str(&user), STR(""), start);
    }
    assert_true(b.recent.count + b.older.count <= 100001);
    buf_fini(&user);
    brake_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_tenth_on),
        cmocka_unit_test(networks),
        cmocka_unit_test(forgiving),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests_name("directory/brake", tests, NULL, NULL);
}
