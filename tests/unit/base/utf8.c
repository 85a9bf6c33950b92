/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

static void
characters(void **state)
{
    static const struct {
        const char *name, *text;
        size_t octets; /* of the first character */
        const char *mended;
    } cases[] = {
        {"ASCII",             "a",                1, "a"                       },
        {"two octets",        "\303\244",         2, "\303\244"                },
        {"three",             "\342\202\254",     3, "\342\202\254"            },
        {"four",              "\360\237\230\200", 4, "\360\237\230\200"        },
        {"cut short",         "\342\202",         0, "\357\277\275\357\277\275"},
        {"continuation",      "\200",             0, "\357\277\275"            },
        {"overlong slash",    "\300\257",         0, "\357\277\275\357\277\275"},
        {"overlong three",    "\340\202\257",     0,
         "\357\277\275\357\277\275\357\277\275"                                },
        {"surrogate",         "\355\240\200",     0,
         "\357\277\275\357\277\275\357\277\275"                                },
        {"last",              "\364\217\277\277", 4, "\364\217\277\277"        },
        {"beyond the last",   "\364\220\200\200", 0,
         "\357\277\275\357\277\275\357\277\275\357\277\275"                    },
        {"empty",             "",                 0, ""                        },
        {"Latin-1 in a word", "a\344b",           1, "a\357\277\275b"          },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        struct str s = str_from(cases[i].text);
        assert_int_equal(utf8_first(s), cases[i].octets);
        utf8_add_mended(&b, s);
        assert_string_equal(buf_cstr(&b), cases[i].mended);
        assert_true(utf8_valid(buf_str(&b)));
        assert_int_equal(utf8_valid(s), str_eq(s, buf_str(&b)));
        buf_fini(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters),
    };
    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
