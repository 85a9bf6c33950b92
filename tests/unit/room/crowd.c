/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/memfd.h"
#include "room/crowd.h"

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
        assert_int_equal(crowd_connections(c, b), cases[i].same ? 2 : 1);
        crowd_leave(a);
        crowd_leave(b);
        assert_int_equal(crowd_connections(c, b), 0);
        crowd_free(c);
    }
}

static uint32_t
come_and_go(struct crowd *c, struct str client, int64_t now_ms)
{
    struct crowd_network *n = crowd_enter(c, client, now_ms);
    uint32_t rate = crowd_rate(c, n, now_ms);
    assert_int_equal(crowd_connections(c, n), 1);
    crowd_leave(n);
    return rate;
}

static void
minutes(void **state)
{
    struct crowd *c = crowd_new();
    struct str client = STR("192.0.2.1");
    (void)state;
    for (uint32_t i = 1; i <= 5; i++)
        assert_int_equal(come_and_go(c, client, 1000 * i), i);
    assert_int_equal(come_and_go(c, client, 60999), 6);
    // a minute after the first
    assert_int_equal(come_and_go(c, client, 61000), 1);
    assert_int_equal(come_and_go(c, client, 200001), 1);
    assert_null(crowd_enter(c, STR("not an address"), 0));
    crowd_leave(NULL);
    crowd_free(c);
}

/* More networks than there is room for: those that are gone make room, those
 * that stay are still counted. */
static void
too_many_networks(void **state)
{
    struct crowd *c = crowd_new();
    char text[32];
    struct crowd_network *n = crowd_enter(c, STR("192.0.2.1"), 1000);
    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        (void)snprintf(text, sizeof text, "2001:db8:%x:%x00::1", i >> 8,
                       i & 0xff);
        struct crowd_network *other = crowd_enter(c, str_from(text), 2000);
        assert_non_null(other);
        assert_int_equal(crowd_connections(c, other), 1);
        crowd_leave(other);
    }
    assert_ptr_equal(crowd_enter(c, STR("192.0.2.2"), 3000), n);
    assert_int_equal(crowd_connections(c, n), 2);
    crowd_free(c);
}

static struct crowd *
join(const struct crowd *master, uint64_t incarnation)
{
    struct crowd *c = crowd_new();
    assert_true(crowd_join(c, dup(crowd_fd(master)), incarnation));
    return c;
}

static void
across_processes(void **state)
{
    struct err e;
    struct crowd *master = crowd_make(42, &e);
    struct crowd *one = join(master, 101);
    struct str client = STR("192.0.2.1");
    int told[2];
    char ready;
    (void)state;
    assert_int_equal(pipe(told), 0);
    pid_t other = fork();
    assert_true(other >= 0);
    if (other == 0) {
        struct crowd *two = join(master, 102);
        for (int i = 0; i < 3; i++)
            (void)crowd_enter(two, client, 1000);
        (void)crowd_enter(two, STR("192.0.9.1"), 1000);
        (void)!write(told[1], "x", 1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(told[0], &ready, 1), 1);
    struct crowd_network *n = crowd_enter(one, client, 2000);
    assert_int_equal(crowd_connections(one, n), 4);
    assert_int_equal(crowd_rate(one, n, 2000), 4);
    assert_int_equal(crowd_rate(one, n, 61500),
                     1); // the other's minute is over

    assert_int_equal(kill(other, SIGKILL), 0);
    assert_int_equal(waitpid(other, NULL, 0), other);
    assert_int_equal(crowd_connections(one, n), 4);
    crowd_clear(master, 102);
    assert_int_equal(crowd_connections(one, n), 1);
    struct crowd *three = join(master, 103); // takes that seat: it is empty
    struct crowd_network *m = crowd_enter(three, client, 3000);
    assert_int_equal(crowd_connections(three, m), 2);
    assert_int_equal(crowd_rate(three, m, 3000), 2);
    crowd_clear(master, 999); // nobody's
    assert_int_equal(crowd_connections(three, m), 2);
    crowd_free(three);
    crowd_free(one);
    crowd_free(master);
    (void)close(told[0]);
    (void)close(told[1]);
}

static void
no_seat(void **state)
{
    struct err e;
    struct crowd *master = crowd_make(42, &e);
    struct crowd *c[65];
    (void)state;
    for (size_t i = 0; i < 64; i++)
        c[i] = join(master, 1 + i);
    c[64] = crowd_new();
    assert_false(crowd_join(c[64], dup(crowd_fd(master)), 65));
    crowd_clear(master, 7);
    assert_true(crowd_join(c[64], dup(crowd_fd(master)), 65));
    for (size_t i = 0; i < 65; i++)
        crowd_free(c[i]);
    crowd_free(master);

    struct crowd *alone = crowd_new();
    assert_false(crowd_join(alone, memfd_shared("x", 4096, &e), 1));
    struct crowd_network *n = crowd_enter(alone, STR("192.0.2.1"), 0);
    assert_int_equal(crowd_connections(alone, n), 1);
    crowd_free(alone);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks),          cmocka_unit_test(minutes),
        cmocka_unit_test(too_many_networks), cmocka_unit_test(across_processes),
        cmocka_unit_test(no_seat),
    };
    return cmocka_run_group_tests_name("room/crowd", tests, NULL, NULL);
}
