/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spool/table.h"

#include "simdisk.h"

static struct msgid
id(uint64_t seq)
{
    return (struct msgid){1, seq};
}

static uint32_t
add(struct table *t, uint64_t seq, uint32_t rcpts, int64_t due)
{
    uint32_t i = table_add(t, id(seq));
    table_grow(t, i, rcpts, due);
    table_place(t, i, 0, seq * 8);
    table_settle(t, i);
    return i;
}

static void
order_of_time(void **state)
{
    struct table t;
    uint64_t seed = 12345;
    int64_t last = INT64_MIN;
    (void)state;
    table_init(&t);
    for (uint64_t k = 1; k <= 3000; k++)
        (void)add(&t, k, 1 + (uint32_t)(k % 3),
                  (int64_t)(sim_random(&seed) % 100000));
    for (uint64_t k = 1; k <= 3000; k += 7) // some go, some move
        table_remove(&t, table_find(&t, id(k)));
    for (uint64_t k = 2; k <= 3000; k += 7) {
        uint32_t i = table_find(&t, id(k));
        for (uint32_t r = 0; r < table_at(&t, i)->n_rcpts; r++)
            table_rcpt(&t, i, r)->next_ms = (int64_t)(k * 13 % 50000);
        table_settle(&t, i);
    }
    size_t n = 0;
    for (uint32_t i; (i = table_first(&t)) != TABLE_NONE; n++) {
        assert_true(table_due(&t, i) >= last);
        last = table_due(&t, i);
        for (uint32_t r = 0; r < table_at(&t, i)->n_rcpts; r++)
            table_set_state(&t, i, r, RCPT_LEASED);
        assert_int_equal(table_leased(&t, i), table_at(&t, i)->n_rcpts);
        table_settle(&t, i);
    }
    assert_int_equal(n, t.count);
    table_fini(&t);
}

static void
counting(void **state)
{
    struct table t;
    (void)state;
    table_init(&t);
    uint32_t i = add(&t, 1, 1, 5);
    assert_int_equal(table_at(&t, i)->n_open, 1);
    table_set_state(&t, i, 0, RCPT_LEASED);
    table_grow(&t, i, 3, 9);
    assert_int_equal(table_leased(&t, i), 1);
    assert_int_equal(table_at(&t, i)->n_open, 3);
    table_set_state(&t, i, 0, RCPT_EXPANDED);
    table_set_state(&t, i, 1, RCPT_OWES);
    table_set_state(&t, i, 2, RCPT_DONE);
    assert_int_equal(table_at(&t, i)->n_open, 1);
    assert_int_equal(table_leased(&t, i), 0);
    assert_int_equal(t.rcpts, 3);
    table_place(&t, i, TABLE_NONE, 0);
    assert_int_equal(t.rcpts, 0);
    assert_int_equal(t.ghosts, 1);
    table_remove(&t, i);
    assert_int_equal(t.count, 0);
    assert_int_equal(table_find(&t, id(1)), TABLE_NONE);
    table_fini(&t);
}

static void
small_enough(void **state)
{
    struct table t;
    enum { N = 100000 };
    (void)state;
    table_init(&t);
    for (uint64_t k = 1; k <= N; k++)
        (void)add(&t, k, 1, (int64_t)k);
    assert_true(table_memory(&t) <= N * 96);
    table_fini(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_time),
        cmocka_unit_test(counting),
        cmocka_unit_test(small_enough),
    };
    return cmocka_run_group_tests_name("spool/table", tests, NULL, NULL);
}
