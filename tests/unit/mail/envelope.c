/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/envelope.h"

#define check_eq(a, b) assert_true(str_eq((a), (b)))

static struct envelope
sample(void)
{
    static struct recipient rcpts[] = {
        {{"a@x.example", 11}, {"rfc822;a@x.example", 18}, NOTIFY_NEVER                 },
        {{"b@x.example", 11}, {"", 0},                    NOTIFY_SUCCESS | NOTIFY_DELAY},
    };
    return (struct envelope){.sender = STR("s@y.example"),
                             .envid = STR("QQ+2B1"),
                             .ret = DSN_RET_HDRS,
                             .body = BODY_8BITMIME,
                             .smtputf8 = true,
                             .rcpts = rcpts,
                             .n_rcpts = 2,
                             .arrived_ms = 1795500000123,
                             .client = STR("192.0.2.1"),
                             .helo = STR("h.example"),
                             .auth_user = STR("s@y.example"),
                             .protocol = STR("ESMTPSA"),
                             .session = STR("7K3MQ-2DF9P"),
                             .notice = STR("key")};
}

static void
round_trip(void **state)
{
    struct envelope in = sample(), out;
    struct arena arena = {0};
    struct buf b = {0};
    (void)state;
    envelope_encode(&b, &in);
    assert_true(envelope_decode(&arena, buf_str(&b), &out));
    check_eq(out.sender, in.sender);
    check_eq(out.envid, in.envid);
    assert_int_equal(out.ret, in.ret);
    assert_int_equal(out.body, in.body);
    assert_true(out.smtputf8);
    assert_true(out.arrived_ms == in.arrived_ms);
    check_eq(out.client, in.client);
    check_eq(out.helo, in.helo);
    check_eq(out.auth_user, in.auth_user);
    check_eq(out.protocol, in.protocol);
    check_eq(out.session, in.session);
    check_eq(out.notice, in.notice);
    assert_int_equal(out.n_rcpts, 2);
    for (size_t i = 0; i < 2; i++) {
        check_eq(out.rcpts[i].address, in.rcpts[i].address);
        check_eq(out.rcpts[i].orcpt, in.rcpts[i].orcpt);
        assert_int_equal(out.rcpts[i].notify, in.rcpts[i].notify);
    }
    buf_fini(&b);
    arena_fini(&arena);
}

/* Each octet that is missing, added or out of range makes it none. */
static void
damaged(void **state)
{
    struct envelope in = sample(), out;
    struct arena arena = {0};
    struct buf b = {0};
    (void)state;
    envelope_encode(&b, &in);
    for (size_t n = 0; n < b.n; n++)
        assert_false(envelope_decode(&arena, str_from_n(b.p, n), &out));
    b.p[0] = 2;
    assert_false(envelope_decode(&arena, buf_str(&b), &out));
    b.p[0] = 1;
    b.p[b.n - 1] = 16; // NOTIFY has four bits
    assert_false(envelope_decode(&arena, buf_str(&b), &out));
    b.p[b.n - 1] = 0;
    assert_true(envelope_decode(&arena, buf_str(&b), &out));
    buf_add_char(&b, 0);
    assert_false(envelope_decode(&arena, buf_str(&b), &out));
    buf_fini(&b);
    arena_fini(&arena);
}

static void
empty(void **state)
{
    struct envelope in = {0}, out;
    struct arena arena = {0};
    struct buf b = {0};
    (void)state;
    envelope_encode(&b, &in);
    assert_true(envelope_decode(&arena, buf_str(&b), &out));
    assert_int_equal(out.sender.n, 0);
    assert_int_equal(out.n_rcpts, 0);
    buf_fini(&b);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(damaged),
        cmocka_unit_test(empty),
    };
    return cmocka_run_group_tests_name("mail/envelope", tests, NULL, NULL);
}
