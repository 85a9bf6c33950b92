/* SPDX-License-Identifier: ISC */
#include "queue/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct spool_rcpt rcpts[3];
static struct spool_view view;

static int
setup(void **state)
{
    (void)state;
    rcpts[0] = (struct spool_rcpt){.address = STR("Ann@one.example"),
                                   .state = RCPT_DUE,
                                   .next_ms = 2000,
                                   .attempts = 3};
    rcpts[0].last.text = STR("450 caf\xe9 is closed"); // not UTF-8
    rcpts[1] = (struct spool_rcpt){.index = 1,
                                   .address = STR("bob@two.example"),
                                   .state = RCPT_DONE,
                                   .attempts = 9};
    rcpts[2] = (struct spool_rcpt){.index = 2,
                                   .address = STR("cat@two.example"),
                                   .state = RCPT_LEASED,
                                   .next_ms = 1000};
    view = (struct spool_view){
        .id = {2, 9},
          .size = 42, .rcpts = rcpts
    };
    view.n_rcpts = 3;
    view.envelope.sender = STR("sue@example.org");
    return 0;
}

static void
filters(void **state)
{
    static const struct {
        const char *name, *from, *to, *domain;
        bool match;
    } cases[] = {
        {"none",               NULL,              "",                "",            true },
        {"sender",             "SUE@example.org", "",                "",            true },
        {"another sender",     "x@example.org",   "",                "",            false},
        {"null sender",        "<>",              "",                "",            false},
        {"recipient",          NULL,              "ann@ONE.example", "",            true },
        {"who has it",         NULL,              "bob@two.example", "",            false},
        {"domain",             NULL,              "",                "TWO.example", true },
        {"part of a domain",   NULL,              "",                "wo.example",  false},
        {"of the same person", NULL,              "ann@one.example", "two.example", false},
        {"all",                "sue@example.org", "cat@two.example", "two.example", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct listing_filter f = {.from = str_from(cases[i].from),
                                   .to = str_from(cases[i].to),
                                   .domain = str_from(cases[i].domain),
                                   .has_from = cases[i].from != NULL};
        if (listing_match(&f, &view) != cases[i].match)
            fail_msg("%s", cases[i].name);
    }
}

static void
null_sender(void **state)
{
    struct listing_filter f = {.has_from = true};
    (void)state;
    view.envelope.sender = STR_EMPTY;
    assert_true(listing_match(&f, &view));
    f.from = STR("<>");
    assert_true(listing_match(&f, &view));
}

static void
check(const json_t *j, const char *key, const char *want)
{
    const char *got = json_string_value(json_object_get(j, key));
    assert_non_null(got);
    assert_string_equal(got, want);
}

static void
as_json(void **state)
{
    json_t *j = listing_json(&view, false);
    (void)state;
    check(j, "id", "2-9");
    check(j, "sender", "sue@example.org");
    assert_int_equal(json_array_size(json_object_get(j, "recipients")), 2);
    assert_int_equal(json_integer_value(json_object_get(j, "size")), 42);
    check(j, "arrived", "1970-01-01T00:00:00.000Z");
    check(j, "next_attempt", "1970-01-01T00:00:01.000Z");
    assert_int_equal(json_integer_value(json_object_get(j, "attempts")), 3);
    check(j, "last_reply", "450 caf? is closed");
    assert_null(json_object_get(j, "details"));
    json_decref(j);

    j = listing_json(&view, true);
    assert_int_equal(json_array_size(json_object_get(j, "details")), 3);
    json_decref(j);
}

static void
states(void **state)
{
    static const struct {
        enum rcpt_state state;
        const char *name;
        bool timed;
    } cases[] = {
        {RCPT_DUE,      "waiting",     true },
        {RCPT_LEASED,   "active",      true },
        {RCPT_HELD,     "held",        false},
        {RCPT_DONE,     "done",        false},
        {RCPT_EXPANDED, "expanded",    false},
        {RCPT_OWES,     "notice owed", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rcpts[0].state = cases[i].state;
        json_t *j = listing_json(&view, true);
        const json_t *r = json_array_get(json_object_get(j, "details"), 0);
        check(r, "state", cases[i].name);
        assert_int_equal(json_is_null(json_object_get(r, "next_attempt")),
                         !cases[i].timed);
        json_decref(j);
    }
}

/* "postmaster" may come without a domain, and is of none. */
static void
no_domain(void **state)
{
    struct listing_filter f = {.domain = STR("one.example")};
    (void)state;
    assert_true(listing_match(&f, &view));
    rcpts[0].address = STR("postmaster");
    assert_false(listing_match(&f, &view));
}

static void
nothing_scheduled(void **state)
{
    (void)state;
    rcpts[0].state = rcpts[2].state = RCPT_HELD;
    view.held = true;
    view.hold_reason = STR("because");
    json_t *j = listing_json(&view, false);
    assert_true(json_is_null(json_object_get(j, "next_attempt")));
    check(j, "held", "because");
    json_decref(j);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(filters, setup),
        cmocka_unit_test_setup(null_sender, setup),
        cmocka_unit_test_setup(as_json, setup),
        cmocka_unit_test_setup(states, setup),
        cmocka_unit_test_setup(no_domain, setup),
        cmocka_unit_test_setup(nothing_scheduled, setup),
    };
    return cmocka_run_group_tests_name("queue/listing", tests, NULL, NULL);
}
