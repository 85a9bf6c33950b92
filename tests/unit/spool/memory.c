/* SPDX-License-Identifier: ISC */
#include "conformance.h"

#include "spool/memory.h"

void
fixture_open(struct fixture *f)
{
    struct memory_spool *m = memory_spool_new();
    f->self = m;
    f->door = memory_door_new(m, NULL, NULL);
    f->store = memory_store_new(m);
}

void
fixture_close(struct fixture *f)
{
    spool_door_free(f->door);
    spool_store_free(f->store);
    memory_spool_free(f->self);
}

void
fixture_settle(struct fixture *f)
{
    spool_turn(f->door);
    spool_store_turn(f->store, f->now);
}

static void
on_result(void *ctx, enum spool_result result, struct msgid id)
{
    (void)id;
    *(enum spool_result *)ctx = result;
}

static void
on_ready(void *ctx)
{
    ++*(int *)ctx;
}

static void
trouble_on_request(void **state)
{
    struct memory_spool *m = memory_spool_new();
    int ready = 0;
    struct spool_door *d = memory_door_new(m, on_ready, &ready);
    struct envelope e = {.sender = STR("a@b.example")};
    enum spool_result why, result = SPOOL_OK;
    (void)state;

    memory_spool_fail(m, SPOOL_CLOSED, SPOOL_OK);
    assert_null(spool_begin(d, &e, &why));
    assert_int_equal(why, SPOOL_CLOSED);
    memory_spool_fail(m, SPOOL_OK, SPOOL_TROUBLE);
    struct spool_message *x = spool_begin(d, &e, &why);
    memory_spool_park(m, true);
    assert_false(spool_chunk(x, STR("a")));
    memory_spool_park(m, false);
    assert_int_equal(ready, 1);
    assert_true(spool_chunk(x, STR("b")));
    spool_commit(x, false, on_result, &result);
    spool_turn(d);
    assert_int_equal(result, SPOOL_TROUBLE);
    spool_door_free(d);
    memory_spool_free(m);
}

int
main(void)
{
    static const struct CMUnitTest own[] = {
        cmocka_unit_test(trouble_on_request),
    };
    int failed = cmocka_run_group_tests_name("spool/memory", own, NULL, NULL);
    return failed + _cmocka_run_group_tests("spool/memory conformance",
                                            conformance_tests,
                                            conformance_count, NULL, NULL);
}
