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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_and_reason),
        cmocka_unit_test(the_reply_said_it),
    };
    return cmocka_run_group_tests_name("dsn/dsn", tests, NULL, NULL);
}
