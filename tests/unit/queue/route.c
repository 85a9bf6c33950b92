/* SPDX-License-Identifier: ISC */
#include "queue/route.h"

#include "fakebook.h"

static struct fakebook fake;

static const struct {
    const char *address, *smarthost;
    enum route_kind kind;
    const char *destination; /* or, of a refusal, the reason */
} cases[] = {
    {"ann@example.com",    "",     ROUTE_MAILBOX, "maildir:/mail/example.com/ann"},
    {"Ann+x@Example.COM",  "",     ROUTE_MAILBOX, "maildir:/mail/example.com/ann"},
    {"ann@example.com",    "h:25", ROUTE_MAILBOX, "maildir:/mail/example.com/ann"},
    {"postmaster",         "",     ROUTE_MAILBOX, "maildir:/mail/postmaster"     },
    {"nobody@example.com", "",     ROUTE_REFUSED, "unknown-recipient"            },
    {"nobody@example.com", "h:25", ROUTE_REFUSED, "unknown-recipient"            },
    {"x@Example.NET",      "",     ROUTE_SEND,    "example.net"                  },
    {"x@example.net",      "h:25", ROUTE_SEND,    "h:25"                         },
    {"x@[192.0.2.1]",      "",     ROUTE_SEND,    "[192.0.2.1]"                  },
    {"no address",         "",     ROUTE_REFUSED, "bad-recipient-address"        },
    {"",                   "",     ROUTE_REFUSED, "bad-recipient-address"        },
};

static void
kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        struct route r;
        struct str want = str_from(cases[i].destination);
        route_find(&fake.book, str_from(cases[i].smarthost), &a,
                   str_from(cases[i].address), &r);
        struct str got =
            r.kind == ROUTE_REFUSED ? r.verdict.reason : r.destination;
        if (r.kind != cases[i].kind || !str_eq(got, want))
            fail_msg("%s: kind %d, %.*s", cases[i].address, (int)r.kind,
                     STR_ARG(got));
        if (r.kind == ROUTE_REFUSED) {
            assert_int_equal(r.verdict.outcome, OUTCOME_REFUSED);
            assert_int_equal(r.verdict.status.klass, 5);
        }
        arena_fini(&a);
    }
}

static void
vacation_and_aliases(void **state)
{
    static const char *const targets[] = {"ann@example.com", "x@example.net",
                                          NULL};
    struct arena a = {0};
    struct route r;
    (void)state;

    route_find(&fake.book, STR_EMPTY, &a, STR("bob@example.com"), &r);
    assert_int_equal(r.kind, ROUTE_MAILBOX);
    assert_true(r.on_vacation);
    assert_true(str_eq(r.account, STR("bob@example.com")));

    fakebook_alias(&fake, "l:all@example.com", targets);
    route_find(&fake.book, STR_EMPTY, &a, STR("all@example.com"), &r);
    assert_int_equal(r.kind, ROUTE_ALIAS);
    assert_int_equal(r.n_targets, 2);
    arena_fini(&a);
}

static void
states(void **state)
{
    static const struct {
        enum book_state is;
        const char *note, *reason, *text;
        enum outcome outcome;
        unsigned klass;
    } rows[] = {
        {BOOK_DISABLED,  "",              "recipient-disabled",
         "The mailbox is switched off.",                                                     OUTCOME_REFUSED, 5},
        {BOOK_SUSPENDED, "unpaid",        "recipient-suspended",
         "The mailbox is suspended by its admin.",                                           OUTCOME_REFUSED, 5},
        {BOOK_FULL,      "",              "recipient-full",      "The mailbox is full.",     OUTCOME_LATER,
         4                                                                                                     },
        {BOOK_MOVED,     "",              "recipient-moved",     "The recipient has moved.",
         OUTCOME_REFUSED,                                                                                     5},
        {BOOK_MOVED,     "a@new.example", "recipient-moved",
         "The recipient has moved to <a@new.example>.",                                      OUTCOME_REFUSED, 5},
    };
    struct arena a = {0};
    struct route r;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fakebook_state(&fake, "a:kim@example.com", rows[i].is, rows[i].note);
        route_find(&fake.book, STR_EMPTY, &a, STR("kim+x@example.com"), &r);
        assert_int_equal(r.kind, ROUTE_REFUSED);
        assert_int_equal(r.verdict.outcome, rows[i].outcome);
        assert_int_equal(r.verdict.status.klass, rows[i].klass);
        assert_true(str_eq(r.verdict.reason, str_from(rows[i].reason)));
        assert_true(str_eq(r.verdict.text, str_from(rows[i].text)));
    }
    fakebook_state(&fake, "a:kim@example.com", BOOK_ACTIVE, "");
    route_find(&fake.book, STR_EMPTY, &a, STR("kim@example.com"), &r);
    assert_int_equal(r.kind, ROUTE_MAILBOX);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(vacation_and_aliases),
        cmocka_unit_test(states),
    };
    fakebook_init(&fake);
    int failed = cmocka_run_group_tests_name("queue/route", tests, NULL, NULL);
    fakebook_fini(&fake);
    return failed;
}
