/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/header.h"

/* Fields are written as "[name|value]", then the body. */
static void
fields(void **state)
{
    static const struct {
        const char *name, *message, *want;
    } cases[] = {
        {"plain",                   "A: 1\r\nB: 2\r\n\r\nbody\r\n",    "[A|1][B|2]body\r\n"    },
        {"folded",                  "A: 1\r\n 2\r\n\t3\r\nB:\r\n\r\n", "[A|1\r\n 2\r\n\t3][B|]"},
        {"no body",                 "A: 1\r\n",                        "[A|1]"                 },
        {"no line end",             "A: 1",                            "[A|1]"                 },
        {"empty header",            "\r\nbody",                        "body"                  },
        {"empty",                   "",                                ""                      },
        {"blank before colon",      "A : 1\r\n\r\n",                   "[A|1]"                 },
        {"no field at all",         "hello\r\nA: 1\r\n",               "hello\r\nA: 1\r\n"     },
        {"body without empty line", "A: 1\r\nhello world\r\nB: 2\r\n",
         "[A|1]hello world\r\nB: 2\r\n"                                                        },
        {"no name",                 ": 1\r\n",                         ": 1\r\n"               },
        {"begins with a blank",     " A: 1\r\n",                       " A: 1\r\n"             },
        {"bare LF is no line end",  "A: 1\nB: 2\r\n\r\nx",             "[A|1\nB: 2]x"          },
        {"8-bit name",              "\303\244: 1\r\n",                 "\303\244: 1\r\n"       },
        {"8-bit value",             "A: \303\244\377\r\n",             "[A|\303\244\377]"      },
        {"colon in value",          "A:b:c\r\n",                       "[A|b:c]"               },
        {"fold of blanks only",     "A: 1\r\n \r\n\r\nx",              "[A|1]x"                },
        {"only CR",                 "A: 1\r\r\n\r\nx",                 "[A|1]x"                },
        {"one octet",               "\n",                              "\n"                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        struct str rest = str_from(cases[i].message), body;
        struct field f;
        size_t n = 0;
        while (header_next(&rest, &f)) {
            buf_addf(&got, "[%.*s|%.*s]", STR_ARG(f.name), STR_ARG(f.value));
            n += f.whole.n;
        }
        buf_add(&got, rest);
        assert_string_equal(buf_cstr(&got), cases[i].want);
        assert_int_equal(header_of(str_from(cases[i].message), &body).n, n);
        assert_true(str_eq(body, rest));
        buf_fini(&got);
    }
}

static void
looking_up(void **state)
{
    const struct str m = STR("Subject: one\r\nPrecedence: List;x\r\n"
                             "subject: two\r\nX: a,\r\n b\r\n\r\nTo: body\r\n");
    struct str v;
    (void)state;
    assert_true(header_find(m, STR("SUBJECT"), &v));
    assert_true(str_eq(v, STR("one")));
    assert_false(header_find(m, STR("To"), &v));
    assert_true(header_has_token(m, STR("precedence"), STR("list")));
    assert_true(header_has_token(m, STR("x"), STR("b")));
    assert_true(header_has_token(m, STR("subject"), STR("two")));
    assert_false(header_has_token(m, STR("precedence"), STR("lis")));
    assert_false(header_has_token(m, STR("to"), STR("body")));

    struct buf b = {0};
    header_unfold(&b, STR("a\r\n b\r\n\tc\rd\ne"));
    assert_string_equal(buf_cstr(&b), "a b c d e");
    buf_fini(&b);
}

static void
addresses(void **state)
{
    static const struct {
        const char *value, *want; /* separated by '|' */
    } cases[] = {
        {"a@b.example",                           "a@b.example|"             },
        {"Ann <a@b.example>, c@d.example",        "a@b.example|c@d.example|" },
        {"\"Ann, B. <x@y>\" <a@b.example>",       "a@b.example|"             },
        {"a@b.example (Ann, of (nested) B), c@d", "a@b.example|c@d|"         },
        {"(first) a@b.example",                   "a@b.example|"             },
        {"<@r1,@r2:a@b.example>",                 "a@b.example|"             },
        {"< a@b.example >",                       "a@b.example|"             },
        {"team: a@b, C <c@d>;, e@f",              "a@b|c@d|e@f|"             },
        {"undisclosed-recipients:;",              ""                         },
        {"undisclosed-recipients: ;",             ""                         },
        {",, ,a@b,,",                             "a@b|"                     },
        {"\"a,b\"@c.example",                     "\"a,b\"@c.example|"       },
        {"<\"a>b\"@c.example>",                   "\"a>b\"@c.example|"       },
        {"a@[IPv6:2001:db8::1], b@c",             "a@[IPv6:2001:db8::1]|b@c|"},
        {"Ann\r\n <a@b.example>,\r\n\tc@d",       "a@b.example|c@d|"         },
        {"<>",                                    ""                         },
        {"",                                      ""                         },
        {"\"never closed <a@b>",                  "\"never closed <a@b>|"    },
        {"(never closed <a@b>",                   ""                         },
        {"<a@b",                                  "a@b|"                     },
        {"a b c",                                 "a b c|"                   },
        {"\\",                                    "\\|"                      },
        {"\"\\\"\"@x",                            "\"\\\"\"@x|"              },
        {"=?UTF-8?Q?J=C3=B6rg?= <j@x.example>",   "j@x.example|"             },
        {"<@a",                                   "@a|"                      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        struct str value = str_from(cases[i].value), a;
        while (header_next_address(&value, &a))
            buf_addf(&got, "%.*s|", STR_ARG(a));
        assert_string_equal(buf_cstr(&got), cases[i].want);
        buf_fini(&got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(looking_up),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests_name("mail/header", tests, NULL, NULL);
}
