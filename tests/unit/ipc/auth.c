/* SPDX-License-Identifier: ISC */
/* The codecs of the pipes to and from directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipc/bookpipe.h"
#include "ipc/login.h"
#include "ipc/vacation.h"

/* Every shorter frame and one that is longer is no message. */
#define ASSERT_EXACT(decode, b, m)                                             \
    do {                                                                       \
        struct str whole = buf_str(b);                                         \
        for (size_t n = 0; n < whole.n; n++)                                   \
            assert_false(decode(str_first(whole, n), m));                      \
        assert_true(decode(whole, m));                                         \
        buf_add_char(b, 'x');                                                  \
        assert_false(decode(buf_str(b), m));                                   \
    } while (0)

static void
book_round_trip(void **state)
{
    static const struct book_msg cases[] = {
        {.type = BOOK_SNAPSHOT, .version = 1        },
        {.type = BOOK_CHANGE,
         .version = UINT64_MAX,
         .key = {"a:ann@b.example", 15},
         .value = {"\0v", 2}},
        {.type = BOOK_CHANGE,   .version = 7,                       .key = {"d:b.example", 11}},
        {.type = BOOK_LIST,       .version = 8,.key = {"badmailfrom", 11}},
        {.type = BOOK_ACK,     .version = 7      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        struct book_msg m;
        book_msg_encode(&b, &cases[i]);
        assert_true(book_msg_decode(buf_str(&b), &m));
        assert_int_equal(m.type, cases[i].type);
        assert_true(m.version == cases[i].version);
        assert_true(str_eq(m.key, cases[i].key));
        assert_true(str_eq(m.value, cases[i].value));
        ASSERT_EXACT(book_msg_decode, &b, &m);
        buf_fini(&b);
    }
}

static void
login_round_trip(void **state)
{
    const struct login_msg ask = {.type = LOGIN_ASK,
                                  .seq = 42,
                                  .user = STR("ann@b.example"),
                                  .password = STR("p\0w"),
                                  .client = STR("192.0.2.1"),
                                  .session = STR("7K3MQ-2DF9P")};
    const struct login_msg answer = {.type = LOGIN_ANSWER,
                                     .seq = 42,
                                     .result = LOGIN_OK,
                                     .account = STR("ann@b.example")};
    struct login_msg m;
    struct buf b = {0};
    (void)state;

    login_encode(&b, &ask);
    assert_true(login_decode(buf_str(&b), &m));
    assert_int_equal(m.type, LOGIN_ASK);
    assert_true(m.seq == 42);
    assert_true(str_eq(m.user, ask.user));
    assert_true(str_eq(m.password, ask.password));
    assert_true(str_eq(m.client, ask.client));
    assert_true(str_eq(m.session, ask.session));
    ASSERT_EXACT(login_decode, &b, &m);

    buf_clear(&b);
    login_encode(&b, &answer);
    assert_true(login_decode(buf_str(&b), &m));
    assert_int_equal(m.type, LOGIN_ANSWER);
    assert_int_equal(m.result, LOGIN_OK);
    assert_true(str_eq(m.account, answer.account));
    ASSERT_EXACT(login_decode, &b, &m);
    buf_fini(&b);
}

/* What SCRAM needs of it. */
static void
exchange_round_trip(void **state)
{
    static const struct login_msg cases[] = {
        {.type = LOGIN_START,
         .seq = 1,
         .plus = true,
         .unique = {"u\0", 2},
         .exporter = {"e", 1},
         .client = {"::1", 3},
         .session = {"S", 1},
         .bytes = {"n,,n=ann,r=x", 12}},
        {.type = LOGIN_START,             .seq = 2                                            },
        {.type = LOGIN_CHALLENGE,                                .seq = 3,                                            .bytes = {"r=xy,s=,i=1", 11}                                                                                                                      },
        {.type = LOGIN_RESPONSE,          .seq = 3, .bytes = {"c=biws", 6}                                                                                              },
        {.type = LOGIN_FORGET,           .seq = 4                       },
        {.type = LOGIN_LEDGER            },
        {.type = LOGIN_ANSWER,
         .seq = 5,
         .result = LOGIN_SUSPENDED,
         .account = {"ann@b.example", 13},
         .detail = {"unpaid", 6}},
        {.type = LOGIN_ANSWER, .seq = 6,                               .result = LOGIN_BRAKED                                                                        },
    };
    struct login_msg m;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct login_msg *c = &cases[i];
        struct buf b = {0};
        login_encode(&b, c);
        assert_true(login_decode(buf_str(&b), &m));
        assert_int_equal(m.type, c->type);
        assert_true(m.seq == c->seq);
        assert_int_equal(m.plus, c->plus);
        assert_int_equal(m.result, c->result);
        assert_true(str_eq(m.unique, c->unique));
        assert_true(str_eq(m.exporter, c->exporter));
        assert_true(str_eq(m.client, c->client));
        assert_true(str_eq(m.session, c->session));
        assert_true(str_eq(m.bytes, c->bytes));
        assert_true(str_eq(m.account, c->account));
        assert_true(str_eq(m.detail, c->detail));
        ASSERT_EXACT(login_decode, &b, &m);
        buf_fini(&b);
    }
    assert_false(login_decode(STR("\0\0\0\0\0\0\0\0\0"), &m)); // no type
    assert_false(login_decode(STR("\x08\0\0\0\0\0\0\0\0"), &m));
    assert_false(login_decode(STR("\2\0\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\0"),
                              &m)); // no result
}

static void
vacation_round_trip(void **state)
{
    const struct vacation_msg ask = {.type = VACATION_ASK,
                                     .seq = 3,
                                     .account = STR("ann@b.example"),
                                     .sender = STR("bob@c.example"),
                                     .key = STR("2b-9Xk/2"),
                                     .named = STR("ann@b.example\nx@y")};
    const struct vacation_msg answer = {.type = VACATION_ANSWER,
                                        .seq = 3,
                                        .result = VACATION_TOLD_ALREADY,
                                        .subject = STR("Away"),
                                        .body = STR("Back soon.\n"),
                                        .addresses = STR("a@b\nc@d")};
    struct vacation_msg m;
    struct buf b = {0};
    (void)state;

    vacation_encode(&b, &ask);
    assert_true(vacation_decode(buf_str(&b), &m));
    assert_true(str_eq(m.account, ask.account));
    assert_true(str_eq(m.sender, ask.sender));
    assert_true(str_eq(m.key, ask.key));
    assert_true(str_eq(m.named, ask.named));
    ASSERT_EXACT(vacation_decode, &b, &m);

    buf_clear(&b);
    vacation_encode(&b, &answer);
    assert_true(vacation_decode(buf_str(&b), &m));
    assert_int_equal(m.result, VACATION_TOLD_ALREADY);
    assert_true(str_eq(m.subject, answer.subject));
    assert_true(str_eq(m.body, answer.body));
    assert_true(str_eq(m.addresses, answer.addresses));
    ASSERT_EXACT(vacation_decode, &b, &m);
    buf_fini(&b);
}

/* A type or result that does not exist is refused, not stored in an enum. */
static void
unknown_numbers(void **state)
{
    struct book_msg book;
    struct login_msg login;
    struct vacation_msg vacation;
    (void)state;

    assert_false(book_msg_decode(STR("\0\0\0\0\0\0\0\0\0"), &book));
    assert_false(book_msg_decode(STR("\5\0\0\0\0\0\0\0\0"), &book));
    assert_false(login_decode(STR("\3\0\0\0\0\0\0\0\0\0\0\0\0\0"), &login));
    assert_false(login_decode(STR("\2\0\0\0\0\0\0\0\0\3\0\0\0\0"), &login));
    assert_true(
        login_decode(STR("\2\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0"), &login));
    assert_false(vacation_decode(
        STR("\2\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0"), &vacation));
    assert_true(vacation_decode(
        STR("\2\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0"), &vacation));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(book_round_trip),
        cmocka_unit_test(login_round_trip),
        cmocka_unit_test(exchange_round_trip),
        cmocka_unit_test(vacation_round_trip),
        cmocka_unit_test(unknown_numbers),
    };
    return cmocka_run_group_tests_name("ipc/auth", tests, NULL, NULL);
}
