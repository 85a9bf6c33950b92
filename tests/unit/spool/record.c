/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/wire.h"
#include "spool/record.h"

static const struct msgid id = {3, 77};

static void
message(void **state)
{
    struct record_message m = {
        .id = id, .size = 5000000000, .large = 9, .envelope = STR("env")};
    struct record_message got;
    struct buf b = {0};
    (void)state;
    record_add_message(&b, &m);
    assert_true(record_parse_message(buf_str(&b), &got));
    assert_true(msgid_eq(got.id, id));
    assert_int_equal(got.size, m.size);
    assert_int_equal(got.large, 9);
    assert_true(str_eq(got.envelope, m.envelope));
    // One without an envelope is none.
    for (size_t n = 0; n <= b.n - m.envelope.n; n++)
        assert_false(record_parse_message(str_first(buf_str(&b), n), &got));
    buf_fini(&b);
}

static struct record_note
note(enum rcpt_state state, unsigned owes)
{
    struct record_note n = {.id = id,
                            .rcpt = 4,
                            .parent = 2,
                            .attempts = 7,
                            .next_ms = -5,
                            .state = state,
                            .owes = owes,
                            .address = STR("x@example.com")};
    n.last.outcome = OUTCOME_LATER;
    n.last.code = 450;
    n.last.text = STR("450 4.2.0 busy");
    return n;
}

static void
a_note(void **state)
{
    static const struct {
        enum rcpt_state state;
        unsigned owes;
        bool good;
    } cases[] = {
        {RCPT_DUE,      0,                                true },
        {RCPT_DONE,     0,                                true },
        {RCPT_EXPANDED, 0,                                true },
        {RCPT_OWES,     NOTICE_BOUNCE,                    true },
        {RCPT_OWES,     NOTICE_BOUNCE | NOTICE_AUTOREPLY, true },
        {RCPT_OWES,     16,                               false},
        {RCPT_LEASED,   0,                                false}, // only in memory
        {RCPT_HELD,     0,                                false}, // is the message's
        {RCPT_OWES + 1, 0,                                false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record_note n = note(cases[i].state, cases[i].owes), got;
        struct buf b = {0};
        record_add_note(&b, &n);
        assert_int_equal(record_parse_note(buf_str(&b), &got), cases[i].good);
        if (cases[i].good) {
            assert_true(msgid_eq(got.id, id));
            assert_int_equal(got.rcpt, 4);
            assert_int_equal(got.parent, 2);
            assert_int_equal(got.attempts, 7);
            assert_int_equal(got.next_ms, -5);
            assert_int_equal(got.state, cases[i].state);
            assert_int_equal(got.owes, cases[i].owes);
            assert_true(str_eq(got.address, n.address));
            assert_int_equal(got.last.outcome, OUTCOME_LATER);
            assert_int_equal(got.last.code, 450);
            assert_true(str_eq(got.last.text, n.last.text));
        }
        for (size_t k = 0; k < b.n; k++)
            assert_false(record_parse_note(str_first(buf_str(&b), k), &got));
        buf_fini(&b);
    }
}

static void
expanded(void **state)
{
    struct str targets[] = {STR("a@example.com"), STR(""), STR("c")};
    struct record_expanded x = {
        .id = id, .rcpt = 1, .first = 3, .next_ms = 9, .targets = targets};
    struct record_expanded got;
    struct arena a = {0};
    (void)state;
    for (x.n = 0; x.n <= 3; x.n++) {
        struct buf b = {0};
        record_add_expanded(&b, &x);
        assert_true(record_parse_expanded(&a, buf_str(&b), &got));
        assert_true(msgid_eq(got.id, id));
        assert_int_equal(got.rcpt, 1);
        assert_int_equal(got.first, 3);
        assert_int_equal(got.next_ms, 9);
        assert_int_equal(got.n, x.n);
        for (size_t i = 0; i < x.n; i++)
            assert_true(str_eq(got.targets[i], targets[i]));
        for (size_t k = 0; k < b.n; k++)
            assert_false(
                record_parse_expanded(&a, str_first(buf_str(&b), k), &got));
        buf_add_char(&b, 'x'); // nothing may follow
        assert_false(record_parse_expanded(&a, buf_str(&b), &got));
        buf_fini(&b);
    }
    arena_fini(&a);
}

/* A count that the octets behind it cannot hold costs no memory. */
static void
more_targets_than_octets(void **state)
{
    struct record_expanded x = {.id = id}, got;
    struct arena a = {0};
    struct buf b = {0};
    (void)state;
    record_add_expanded(&b, &x);
    b.n -= 4;
    wire_add_u32(&b, UINT32_MAX);
    assert_false(record_parse_expanded(&a, buf_str(&b), &got));
    assert_int_equal(got.n, 0);
    arena_fini(&a);
    buf_fini(&b);
}

static void
event(void **state)
{
    struct record_event x = {.id = id,
                             .a = 1,
                             .b = UINT64_MAX,
                             .c = 3,
                             .time = -1,
                             .text = STR("looked at")};
    struct record_event got;
    struct msgid of;
    struct buf b = {0};
    (void)state;
    record_add_event(&b, &x);
    assert_true(record_parse_event(buf_str(&b), &got));
    assert_true(msgid_eq(got.id, id));
    assert_int_equal(got.a, 1);
    assert_true(got.b == UINT64_MAX);
    assert_int_equal(got.c, 3);
    assert_int_equal(got.time, -1);
    assert_true(str_eq(got.text, x.text));
    for (size_t k = 0; k < b.n; k++) {
        assert_false(record_parse_event(str_first(buf_str(&b), k), &got));
        assert_int_equal(record_id(str_first(buf_str(&b), k), &of), k >= 16);
    }
    assert_true(msgid_eq(of, id));
    buf_add_char(&b, 'x');
    assert_false(record_parse_event(buf_str(&b), &got));
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message),  cmocka_unit_test(a_note),
        cmocka_unit_test(expanded), cmocka_unit_test(more_targets_than_octets),
        cmocka_unit_test(event),
    };
    return cmocka_run_group_tests_name("spool/record", tests, NULL, NULL);
}
