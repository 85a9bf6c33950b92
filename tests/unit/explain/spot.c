/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/spot.h"

static void
assert_str(struct str got, const char *want)
{
    struct str w = str_from(want);
    if (!str_eq(got, w))
        fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), want);
}

static const struct {
    const char *line, *address, *before, *after;
} addresses[] = {
    {"<a@b.example>: no",               "a@b.example",                    "",          ": no"            },
    {"  a@b.example",                   "a@b.example",                    "  ",        ""                },
    {"Mail to a@b.example.",            "a@b.example",                    "Mail to ",  "."               },
    {"'a@b.example' is full",           "a@b.example",                    "",          " is full"        },
    {"\"a@b.example\":",                "a@b.example",                    "",          ":"               },
    {"\"a b\"@c.example x",             "\"a b\"@c.example",              "",          " x"              },
    {"<jim>... User unknown",           "jim",                            "",          "... User unknown"},
    {"<j\xC3\xB6rg@b\xC3\xBC.example>", "j\xC3\xB6rg@b\xC3\xBC.example",  "",
     ""                                                                                                  },
    {"a@[192.0.2.1] x",                 "a@[192.0.2.1]",                  "",          " x"              },
    {"dda:SMTP=a@b.example; on",        "a@b.example",                    "dda:SMTP=", "; on"            },
    {"=?utf-8?B?8J+QiA==?=@b.example",  "=?utf-8?B?8J+QiA==?=@b.example", "",
     ""                                                                                                  },
    {"*a@b.example*",                   "a@b.example",                    "*",         "*"               },
    {"x @ y a@b",                       "a@b",                            "x @ y ",    ""                },
};

static void
finds_addresses(void **state)
{
    (void)state;
    struct spot s;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        assert_true(spot_address(str_from(addresses[i].line), &s));
        assert_str(s.address, addresses[i].address);
        assert_str(s.before, addresses[i].before);
        assert_str(s.after, addresses[i].after);
    }
}

static void
finds_no_address(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",     "no address",          "@",    "a @b",      "<>",
        "a@ b", "<http://x.example/>", "< a@", "@b.example"};
    struct spot s;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (spot_address(str_from(lines[i]), &s))
            fail_msg("\"%s\" gave \"%.*s\"", lines[i], STR_ARG(s.address));
}

static void
goes_on_behind(void **state)
{
    (void)state;
    struct spot s;
    assert_true(spot_address(STR("a@x.example, <b@x.example> c"), &s));
    assert_true(spot_next(&s));
    assert_str(s.address, "b@x.example");
    assert_false(spot_next(&s));
}

static void
knows_what_is_one_address(void **state)
{
    (void)state;
    struct str a;
    assert_true(spot_is_address(STR("<a@b.example>"), &a));
    assert_str(a, "a@b.example");
    assert_false(spot_is_address(STR("a@b.example x"), &a));
    assert_false(spot_is_address(STR("x"), &a));
}

static const struct {
    const char *text;
    ssize_t at;
} replies[] = {
    {"550 5.1.1 no",             0 },
    {"550-5.1.1 no",             0 },
    {"550",                      0 },
    {"host mx said: 550 no",     14},
    {"error [554 5.4.6 loop]",   7 },
    {"Code: 571 no",             6 },
    {"ERROR_CODE :550, x",       12},
    {"220-mx 421 4.2.1 later",   7 }, // the refusal, not the greeting
    {"250 2.6.0 ok",             0 },
    {"port 550 is closed",       -1},
    {"550 bytes",                -1},
    {"552 Message size exceeds", 0 },
    {"554 Message rejected",     0 },
    {"after 450 messages in",    -1},
    {"reason: 255",              -1},
    {"599 x",                    -1},
    {"192.0.2.550 x",            -1},
    {"1550 x",                   -1},
    {"5501 x",                   -1},
    {"",                         -1},
};

static void
finds_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++)
        if (spot_reply(str_from(replies[i].text)) != replies[i].at)
            fail_msg("\"%s\": %zd, want %zd", replies[i].text,
                     spot_reply(str_from(replies[i].text)), replies[i].at);
}

static const struct {
    const char *text, *status;
} statuses[] = {
    {"550 5.1.1 no",     "5.1.1" },
    {"no (#5.7.1)",      "5.7.1" },
    {"#5.1.8 Domain",    "5.1.8" },
    {"5.1.10 RESOLVER",  "5.1.10"},
    {"x 4.2.2.",         "4.2.2" },
    {"(5.1.1 - chkusr)", "5.1.1" },
    {"[5.2.1]",          "5.2.1" },
    {"2.6.0 ok",         "2.6.0" },
};

static const char *const no_statuses[] = {
    "",      "5.1",    "5.1.1.2",   "5.1.1-22", "v5.1.1",
    "3.1.1", "5.1.1a", "192.5.1.1", "5.1234.1", "/5.1.1",
};

static void
finds_status(void **state)
{
    (void)state;
    struct str s;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        assert_true(spot_status(str_from(statuses[i].text), &s));
        assert_str(s, statuses[i].status);
    }
    for (size_t i = 0; i < sizeof no_statuses / sizeof no_statuses[0]; i++)
        if (spot_status(str_from(no_statuses[i]), &s))
            fail_msg("\"%s\" gave %.*s", no_statuses[i], STR_ARG(s));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_addresses),
        cmocka_unit_test(finds_no_address),
        cmocka_unit_test(goes_on_behind),
        cmocka_unit_test(knows_what_is_one_address),
        cmocka_unit_test(finds_replies),
        cmocka_unit_test(finds_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
