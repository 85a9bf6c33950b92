/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/verdict.h"

static void
finding(void **state)
{
    static const struct {
        const char *reply, *want;
    } cases[] = {
        {"5.1.1 no such user",                                    "5.1.1"    },
        {"553 5.7.1 Not an open relay, so get lost",              "5.7.1"    },
        {"553-5.7.1 one\n553 5.7.1 two",                          "5.7.1"    },
        {"553 #5.1.8 Domain of sender address <s@x> does not ex", "5.1.8"    },
        {"#5.1.8 Domain of sender",                               "5.1.8"    },
        {"553 sorry, no mailbox here by that name (#5.1.1)",      "5.1.1"    },
        {"553 sorry, no mail-box here by that name. (#5.1.1)",    "5.1.1"    },
        {"553 a (#x) b (#5.7.1) c",                               "5.7.1"    },
        {"553-Message filtered.\n553 5.7.0 see the FAQ",          "5.7.0"    },
        {"553-Message filtered.\n553 ask us (#5.7.2)",            "5.7.2"    },
        {"550-5.1.1",                                             "5.1.1"    },
        {"550 5.1.1",                                             "5.1.1"    },
        {"450 4.7.1.",                                            "4.7.1"    },
        {"250 2.0.0 ok",                                          "2.0.0"    },
        {"5.321.987",                                             "5.321.987"},
        {"553 Invalid user.",                                     ""         },
        {"553 sorry, that domain isn't in my list of allowed",    ""         },
        {"550 5.1.1.7 is on a block list",                        ""         },
        {"550 host 5.1.1 said no",                                ""         },
        {"550 4.2.1 class and code disagree",                     ""         },
        {"450 (#5.1.1)",                                          ""         },
        {"553 (#5.1.1",                                           ""         },
        {"553 (#5.1.)",                                           ""         },
        {"550 5.1",                                               ""         },
        {"550 5.1234.1 x",                                        ""         },
        {"550 3.1.1 x",                                           ""         },
        {"553",                                                   ""         },
        {"",                                                      ""         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[16];
        struct status s = status_find(str_from(cases[i].reply));
        (void)status_format(s, out);
        assert_string_equal(out, cases[i].want);
    }
}

static void
there_and_back(void **state)
{
    struct verdict v =
                       {
                           .outcome = OUTCOME_REFUSED,
                           .code = 553,
                           .status = {5, 1, 1},
                           .reason = STR("unknown-recipient"),
                           .text = STR("553-no\n553 really"),
                           .remote = STR("mx.example.net [192.0.2.7]:25"),
                           .command = STR("RCPT TO")
    },
                   out, copy;
    struct buf b = {0};
    struct arena a = {0};
    (void)state;

    verdict_encode(&b, &v);
    assert_true(verdict_decode(buf_str(&b), &out));
    copy = verdict_dup(&a, &out);
    assert_int_equal(copy.outcome, OUTCOME_REFUSED);
    assert_int_equal(copy.code, 553);
    assert_int_equal(copy.status.klass, 5);
    assert_int_equal(copy.status.subject, 1);
    assert_int_equal(copy.status.detail, 1);
    assert_true(str_eq(copy.reason, v.reason));
    assert_true(str_eq(copy.text, v.text));
    assert_true(str_eq(copy.remote, v.remote));
    assert_true(str_eq(copy.command, v.command));

    // Every shorter frame, and one octet more, is no verdict.
    for (size_t n = 0; n < b.n; n++)
        assert_false(verdict_decode(str_first(buf_str(&b), n), &out));
    buf_add_char(&b, 'x');
    assert_false(verdict_decode(buf_str(&b), &out));
    b.n--;
    b.p[0] = OUTCOME_REFUSED + 1;
    assert_false(verdict_decode(buf_str(&b), &out));
    arena_fini(&a);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests_name("mail/verdict", tests, NULL, NULL);
}
