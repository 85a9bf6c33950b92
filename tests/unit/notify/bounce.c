/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "notify/bounce.h"

static void
forbidden(void **state)
{
    struct notice_rcpt r = {.address = STR("r@far.example")};
    struct notice_msg m = {.rcpts = &r, .n_rcpts = 1};
    (void)state;
    assert_non_null(bounce_forbidden(&m));
    m.envelope.sender = STR("not an address");
    assert_non_null(bounce_forbidden(&m));
    m.envelope.sender = STR("ann@acme.example");
    assert_null(bounce_forbidden(&m));
    m.n_rcpts = 0;
    assert_non_null(bounce_forbidden(&m));
}

static void
report(void **state)
{
    struct arena a = {0};
    struct notice_rcpt rcpts[] = {
        {.address = STR("sales@acme.example"),
         .final = STR("bob@far.example"),
         .orcpt = STR("rfc822;x@y"),
         .verdict = {.outcome = OUTCOME_REFUSED, .code = 553},
         .attempts = 3,
         .last_attempt_ms = 42},
        {.address = STR("two@far.example")          },
    };
    struct notice_msg m = {
        .envelope = {.sender = STR("ann@acme.example"),
                     .envid = STR("E1"),
                     .ret = DSN_RET_FULL,
                     .arrived_ms = 7,
                     .smtputf8 = true},
        .rcpts = rcpts,
        .n_rcpts = 2,
    };
    (void)state;

    struct dsn_report r = bounce_report(&a, &m, STR("Subject: x\r\n"));
    assert_true(str_eq(r.to, STR("ann@acme.example")));
    assert_true(str_eq(r.envid, STR("E1")));
    assert_true(str_eq(r.original, STR("Subject: x\r\n")));
    assert_int_equal(r.arrived_ms, 7);
    assert_int_equal(r.ret, DSN_RET_FULL);
    assert_true(r.smtputf8);
    assert_int_equal(r.n_rcpts, 2);
    // An alias keeps its target to itself.
    assert_true(str_eq(r.rcpts[0].address, STR("sales@acme.example")));
    assert_true(str_eq(r.rcpts[0].orcpt, STR("rfc822;x@y")));
    assert_int_equal(r.rcpts[0].verdict.code, 553);
    assert_int_equal(r.rcpts[0].attempts, 3);
    assert_int_equal(r.rcpts[0].last_attempt_ms, 42);
    assert_true(str_eq(r.rcpts[1].address, STR("two@far.example")));

    m.headers_only = true;
    assert_int_equal(bounce_report(&a, &m, STR_EMPTY).ret, DSN_RET_HDRS);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forbidden),
        cmocka_unit_test(report),
    };
    return cmocka_run_group_tests_name("notify/bounce", tests, NULL, NULL);
}
