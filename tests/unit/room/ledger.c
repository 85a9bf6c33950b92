/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "room/ledger.h"

static const struct instant noon = {.wall_ms = 1795521600000};
static const struct str ann = {"ann@b.example", 13};

static bool
take(struct ledger *l, const struct book_limits *limits, uint32_t messages,
     uint32_t recipients, int64_t after_s, struct ledger_full *full)
{
    const struct ledger_want want = {
        {messages, messages, recipients, recipients}
    };
    const struct instant now = {.wall_ms = noon.wall_ms + after_s * 1000};
    return ledger_take(l, ann, limits, &want, now, full);
}

/* Two processes have it mapped. */
static void
windows(void **state)
{
    const struct book_limits limits = {
        {2, 3, 0, BOOK_UNLIMITED}
    };
    struct ledger_full full;
    struct err e;
    int fd;
    (void)state;

    struct ledger *one = ledger_make(&fd, &e);
    assert_non_null(one);
    struct ledger *other = ledger_map(dup(fd));
    assert_non_null(other);
    assert_true(take(one, &limits, 1, 1000000, 0, &full));
    assert_true(take(other, &limits, 1, 1000000, 1800, &full));
    assert_false(take(one, &limits, 1, 0, 3599, &full));
    assert_int_equal(full.which, BOOK_MESSAGES_HOUR);
    assert_int_equal(full.limit, 2);
    assert_int_equal(full.until_ms, noon.wall_ms + 3600 * 1000);
    // the hour is over, the day is not
    assert_true(take(other, &limits, 1, 0, 3600, &full));
    assert_false(take(one, &limits, 1, 0, 3601, &full));
    assert_int_equal(full.which, BOOK_MESSAGES_DAY);
    assert_int_equal(full.until_ms, noon.wall_ms + (int64_t)86400 * 1000);
    // what was refused was not counted anywhere, not in the hour either
    const struct book_limits hour = {
        {2, 0, 0, 0}
    };
    assert_true(take(one, &hour, 1, 0, 3602, &full));
    assert_false(take(one, &hour, 1, 0, 3603, &full));
    assert_true(take(one, &limits, 1, 0, 86400, &full));
    ledger_free(one);
    ledger_free(other);
    (void)close(fd);
}

static void
given_back(void **state)
{
    const struct book_limits limits = {
        {0, 0, 3, 3}
    };
    const struct ledger_want two = {
        {0, 0, 2, 2}
    };
    struct ledger_full full;
    struct err e;
    int fd;
    (void)state;

    struct ledger *l = ledger_make(&fd, &e);
    assert_non_null(l);
    assert_true(take(l, &limits, 0, 3, 0, &full));
    assert_false(take(l, &limits, 0, 1, 0, &full));
    ledger_give_back(l, ann, &limits, &two, noon);
    assert_false(take(l, &limits, 0, 3, 0, &full));
    assert_true(take(l, &limits, 0, 2, 0, &full));
    // others are not concerned
    const struct ledger_want one = {
        {0, 0, 1, 1}
    };
    assert_true(
        ledger_take(l, STR("bob@b.example"), &limits, &one, noon, &full));
    ledger_free(l);
    (void)close(fd);
}

static void
saved(void **state)
{
    const struct book_limits limits = {
        {2, 9, 0, 0}
    };
    struct ledger_full full;
    struct buf b = {0};
    struct err e;
    int fd, again_fd;
    (void)state;

    struct ledger *l = ledger_make(&fd, &e);
    struct ledger *again = ledger_make(&again_fd, &e);
    assert_non_null(l);
    assert_non_null(again);
    uint64_t before = ledger_changes(l);
    assert_true(take(l, &limits, 2, 0, 0, &full));
    assert_true(ledger_changes(l) != before);
    ledger_save(l, noon, &b);
    assert_true(ledger_load(again, buf_str(&b), noon));
    assert_false(take(again, &limits, 1, 0, 60, &full));
    assert_int_equal(full.until_ms, noon.wall_ms + 3600 * 1000);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(ledger_load(again, str_first(buf_str(&b), n), noon),
                         n == 1); // the empty one
    buf_fini(&b);
    ledger_free(l);
    ledger_free(again);
    (void)close(fd);
    (void)close(again_fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),
        cmocka_unit_test(given_back),
        cmocka_unit_test(saved),
    };
    return cmocka_run_group_tests_name("room/ledger", tests, NULL, NULL);
}
