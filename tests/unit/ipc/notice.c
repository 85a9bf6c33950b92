/* SPDX-License-Identifier: ISC */
#include "ipc/notice.h"

#include "frames.h"
#include "spool/spool.h"

static bool
again(struct arena *a, struct str frame, struct buf *out)
{
    struct notice_msg m;
    if (!notice_decode(a, frame, &m))
        return false;
    buf_clear(out);
    notice_encode(out, &m);
    return true;
}

static struct notice_rcpt rcpt;
static struct notice_msg owed;

static int
make_owed(void **state)
{
    (void)state;
    rcpt.address = STR("sales@example.com");
    rcpt.final = STR("bob@example.net");
    rcpt.orcpt = STR("rfc822;sales@example.com");
    rcpt.verdict.outcome = OUTCOME_REFUSED;
    rcpt.verdict.code = 553;
    rcpt.verdict.text = STR("553 no");
    rcpt.attempts = 3;
    rcpt.last_attempt_ms = 1234567890123;

    owed.type = NOTICE_MSG_OWED;
    owed.key = STR("2b-9Xk/1/0");
    owed.kind = NOTICE_BOUNCE;
    owed.original = (struct msgid){2, 9};
    owed.headers_only = true;
    owed.envelope.sender = STR("ann@example.com");
    owed.envelope.ret = DSN_RET_HDRS;
    owed.envelope.session = STR("7K3MQ-2DF9P");
    owed.envelope.arrived_ms = 42;
    owed.rcpts = &rcpt;
    owed.n_rcpts = 1;
    return 0;
}

static void
each_type(void **state)
{
    static const struct notice_msg declined = {
        .type = NOTICE_MSG_DECLINED,
        .key = {"k",            1 },
        .why = {"told already", 12},
    };
    struct buf b = {0};
    (void)state;
    notice_encode(&b, &owed);
    frames_check(buf_str(&b), again);
    buf_clear(&b);
    notice_encode(&b, &declined);
    frames_check(buf_str(&b), again);
    buf_fini(&b);
}

static void
owed_arrives_whole(void **state)
{
    struct arena a = {0};
    struct buf b = {0};
    struct notice_msg m;
    (void)state;
    notice_encode(&b, &owed);
    assert_true(notice_decode(&a, buf_str(&b), &m));
    assert_true(str_eq(m.key, owed.key));
    assert_int_equal(m.kind, NOTICE_BOUNCE);
    assert_true(msgid_eq(m.original, owed.original));
    assert_true(m.headers_only);
    assert_true(str_eq(m.envelope.sender, owed.envelope.sender));
    assert_int_equal(m.envelope.ret, DSN_RET_HDRS);
    assert_int_equal(m.n_rcpts, 1);
    assert_true(str_eq(m.rcpts[0].address, rcpt.address));
    assert_true(str_eq(m.rcpts[0].final, rcpt.final));
    assert_true(str_eq(m.rcpts[0].orcpt, rcpt.orcpt));
    assert_int_equal(m.rcpts[0].verdict.code, 553);
    assert_int_equal(m.rcpts[0].attempts, 3);
    assert_true(m.rcpts[0].last_attempt_ms == 1234567890123);
    buf_fini(&b);
    arena_fini(&a);
}

static void
wrong_kind(void **state)
{
    struct arena a = {0};
    struct buf b = {0};
    struct notice_msg m = owed;
    (void)state;
    m.kind = NOTICE_BOUNCE | NOTICE_AUTOREPLY; // one notice, one kind
    notice_encode(&b, &m);
    assert_false(notice_decode(&a, buf_str(&b), &m));
    buf_fini(&b);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type),
        cmocka_unit_test(owed_arrives_whole),
        cmocka_unit_test(wrong_kind),
    };
    return cmocka_run_group_tests_name("ipc/notice", tests, make_owed, NULL);
}
