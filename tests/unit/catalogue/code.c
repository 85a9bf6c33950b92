/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalogue/code.h"

static void
parsing(void **state)
{
    static const struct {
        const char *text;
        unsigned reply, klass, subject, detail; /* all 0: no code */
    } cases[] = {
        {"553",     553, 0, 0, 0 },
        {" 421 ",   421, 0, 0, 0 },
        {"5.1.1",   0,   5, 1, 1 },
        {"#5.7.1",  0,   5, 7, 1 },
        {"4.7.28",  0,   4, 7, 28},
        {"250",     0,   0, 0, 0 },
        {"55",      0,   0, 0, 0 },
        {"5530",    0,   0, 0, 0 },
        {"55a",     0,   0, 0, 0 },
        {"2.1.5",   0,   0, 0, 0 },
        {"5.1",     0,   0, 0, 0 },
        {"5.1.1 x", 0,   0, 0, 0 },
        {"x.1.1",   0,   0, 0, 0 },
        {"rate",    0,   0, 0, 0 },
        {"",        0,   0, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct code c;
        bool want = cases[i].reply != 0 || cases[i].klass != 0;
        if (code_parse(str_from(cases[i].text), &c) != want)
            print_error("\"%s\"\n", cases[i].text);
        assert_int_equal(code_parse(str_from(cases[i].text), &c), want);
        if (!want)
            continue;
        assert_int_equal(c.reply, cases[i].reply);
        assert_int_equal(c.status.klass, cases[i].klass);
        assert_int_equal(c.status.subject, cases[i].subject);
        assert_int_equal(c.status.detail, cases[i].detail);
    }
}

static void
fitting(void **state)
{
    static const struct {
        const char *code, *reason;
        bool fits;
    } cases[] = {
        {"553",    "relay-denied",      true },
        {"553",    "unknown-recipient", true },
        {"553",    "recipient-refused", true }, // by reply-seen
        {"553",    "virus",             false},
        {"5.1.1",  "unknown-recipient", true },
        {"5.1.10", "unknown-recipient", true }, // by status-seen
        {"4.1.1",  "unknown-recipient", true },
        {"5.1.1",  "relay-denied",      false},
        {"5.7.1",  "relay-denied",      true },
        {"530",    "login-needed",      true },
        {"554",    "login-needed",      false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct code c;
        assert_true(code_parse(str_from(cases[i].code), &c));
        const struct reason *r = catalogue_find(str_from(cases[i].reason));
        if (code_fits(&c, r) != cases[i].fits)
            print_error("%s and %s\n", cases[i].code, cases[i].reason);
        assert_int_equal(code_fits(&c, r), cases[i].fits);
    }
}

static void
wordings(void **state)
{
    static const struct {
        const char *code, *wording;
        bool in;
    } cases[] = {
        {"553",   "553 sorry",                           true },
        {"553",   "553-sorry",                           true },
        {"553",   "550 sorry 553",                       false},
        {"5.1.1", "553 5.1.1 sorry",                     true },
        {"5.1.1", "553 sorry (#5.1.1)",                  true },
        {"5.1.8", "553 #5.1.8 Domain of sender address", true },
        {"5.1.1", "553 5.1.10 sorry",                    false},
        {"5.1.1", "553 sorry",                           false},
        {"553",   "",                                    false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct code c;
        assert_true(code_parse(str_from(cases[i].code), &c));
        assert_int_equal(code_in_wording(&c, str_from(cases[i].wording)),
                         cases[i].in);
    }
}

/* Every reply code of the catalogue says something by itself. */
static void
sayings(void **state)
{
    struct code c = {.reply = 553};
    (void)state;
    assert_true(
        str_eq(code_says(&c), STR("the server does not allow this address")));
    c = (struct code){
        .status = {5, 1, 1}
    };
    assert_true(str_eq(code_says(&c), STR("it is about an address")));
    c = (struct code){
        .status = {5, 553, 1}
    };
    assert_int_equal(code_says(&c).n, 0);
    c = (struct code){.reply = 599};
    assert_int_equal(code_says(&c).n, 0);
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct reason *r = catalogue_at(i);
        if (r->code == 0)
            continue;
        c = (struct code){.reply = r->code};
        if (code_says(&c).n == 0)
            print_error("%u of %.*s is not in share/catalogue/codes\n", r->code,
                        STR_ARG(r->id));
        assert_true(code_says(&c).n > 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing),
        cmocka_unit_test(fitting),
        cmocka_unit_test(wordings),
        cmocka_unit_test(sayings),
    };
    return cmocka_run_group_tests_name("catalogue/code", tests, NULL, NULL);
}
