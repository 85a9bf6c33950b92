/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receive/crowd.h"

static void
networks(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        {"192.0.2.1",   "192.0.2.254",       true },
        {"192.0.2.1",   "192.0.3.1",         false},
        {"2001:db8::1", "2001:db8:0:ff::1",  true },
        {"2001:db8::1", "2001:db8:0:100::1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct crowd *c = crowd_new();
        struct crowd_network *a = crowd_enter(c, str_from(cases[i].one), 0);
        struct crowd_network *b = crowd_enter(c, str_from(cases[i].other), 0);
        assert_int_equal(a == b, cases[i].same);
        assert_int_equal(crowd_connections(b), cases[i].same ? 2 : 1);
        crowd_leave(c, a, 1);
        crowd_leave(c, b, 1);
        crowd_free(c);
    }
}

static void
minutes(void **state)
{
    struct crowd *c = crowd_new();
    struct str client = STR("192.0.2.1");
    struct crowd_network *n;
    (void)state;
    for (uint32_t i = 1; i <= 5; i++) {
        n = crowd_enter(c, client, 1000 * i);
        assert_int_equal(crowd_rate(n), i);
        assert_int_equal(crowd_connections(n), 1);
        crowd_leave(c, n, 1000 * i);
    }
    n = crowd_enter(c, client, 60999);
    assert_int_equal(crowd_rate(n), 6);
    crowd_leave(c, n, 60999);
    n = crowd_enter(c, client, 61000); // a minute after the first
    assert_int_equal(crowd_rate(n), 1);
    crowd_leave(c, n, 200000); // nobody left: forgotten
    n = crowd_enter(c, client, 200001);
    assert_int_equal(crowd_rate(n), 1);
    crowd_leave(c, n, 200001);
    assert_null(crowd_enter(c, STR("not an address"), 0));
    crowd_leave(c, NULL, 0);
    crowd_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks),
        cmocka_unit_test(minutes),
    };
    return cmocka_run_group_tests_name("receive/crowd", tests, NULL, NULL);
}
