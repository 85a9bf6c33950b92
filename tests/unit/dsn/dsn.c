/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalogue/catalogue.h"
#include "dsn/dsn_internal.h"

static void
status_and_reason(void **state)
{
    static const struct {
        const char *name, *text, *ours;
        enum outcome outcome;
        const char *status, *reason;
    } cases[] = {
        {"leading code",                      "550 5.2.1 off",                         "",               OUTCOME_REFUSED, "5.2.1",
         "recipient-disabled"                                                                                                                         },
        {"with #",                            "553 #5.1.8 x",                          "",               OUTCOME_REFUSED, "5.1.8",
         "sender-domain-missing"                                                                                                                      },
        {"in brackets",                       "553 sorry, rcpt user invalid (#5.7.1)", "",
         OUTCOME_REFUSED,                                                                                                 "5.7.1", "unknown-recipient"},
        {"by its words",                      "553 Invalid user.",                     "",               OUTCOME_REFUSED, "5.1.1",
         "unknown-recipient"                                                                                                                          },
        {"a temporary reason that was final", "552 mailbox full",                      "",
         OUTCOME_REFUSED,                                                                                                 "5.2.2", "recipient-full"   },
        {"nothing known",                     "554 gibberish",                         "",               OUTCOME_REFUSED, "5.0.0",
         "unclear"                                                                                                                                    },
        {"nothing said",                      "",                                      "",               OUTCOME_REFUSED, "5.0.0", "unclear"          },
        {"nothing said for days",             "",                                      "",               OUTCOME_LATER,   "4.4.7", "expired"          },
        {"ours",                              "no such domain",                        "domain-unknown", OUTCOME_REFUSED, "5.1.2",
         "domain-unknown"                                                                                                                             },
        {"ours, unknown here",                "553 Invalid user.",                     "not-there",
         OUTCOME_REFUSED,                                                                                                 "5.1.1", "unknown-recipient"},
        {"tried for days",                    "450 4.2.2 full",                        "",               OUTCOME_LATER,   "4.2.2",
         "recipient-full"                                                                                                                             },
        {"tried for days, by words",          "450 mailbox is full",                   "",               OUTCOME_LATER,
         "4.2.2",                                                                                                                  "recipient-full"   },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[16];
        const struct verdict v = {
            .outcome = cases[i].outcome,
            .reason = str_from(cases[i].ours),
            .text = str_from(cases[i].text),
        };
        struct str status = status_format(dsn_status(&v), out);
        if (!str_eq(status, str_from(cases[i].status)))
            print_error("%s: got %.*s\n", cases[i].name, STR_ARG(status));
        assert_true(str_eq(status, str_from(cases[i].status)));
        assert_true(str_eq(dsn_reason(&v)->id, str_from(cases[i].reason)));
    }
}

static void
the_reply_said_it(void **state)
{
    const struct verdict v = {
        .outcome = OUTCOME_REFUSED,
        .status = {5, 1, 1},
        .text = STR("550 5.2.2 x"),
    };
    char out[16];
    (void)state;
    assert_true(str_eq(status_format(dsn_status(&v), out), STR("5.1.1")));
}

static void
quoting(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a\nb\n",            "a\r\nb\r\n"    },
        {"a",                 "a\r\n"         },
        {"a = b \n",          "a =3D b=20\r\n"},
        {"\303\244",          "=C3=A4\r\n"    },
        {"\n\nx",             "\r\n\r\nx\r\n" },
        {"012345678901234567890123456789012345678901234567890123456789012345678"
         "9"
         "0123456789",                    "012345678901234567890123456789012345678901234567890123456789012345678"
         "901"
         "234=\r\n56789\r\n"                         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        dsn_add_quoted(&b, str_from(cases[i].text), true);
        assert_string_equal(buf_cstr(&b), cases[i].want);
        buf_fini(&b);
    }
    assert_false(dsn_needs_quoting(STR("plain\ntext\n")));
    assert_true(dsn_needs_quoting(STR("pl\303\244in")));

    struct buf line = {0};
    for (int i = 0; i < 999; i++)
        buf_add_char(&line, 'x');
    assert_true(dsn_needs_quoting(buf_str(&line)));
    line.n--;
    assert_false(dsn_needs_quoting(buf_str(&line)));
    buf_fini(&line);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_and_reason),
        cmocka_unit_test(the_reply_said_it),
        cmocka_unit_test(quoting),
    };
    return cmocka_run_group_tests_name("dsn/dsn", tests, NULL, NULL);
}
