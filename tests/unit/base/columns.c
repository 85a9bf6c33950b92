/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/columns.h"

static void
widths(void **state)
{
    static const struct {
        const char *name, *text;
        size_t width;
    } cases[] = {
        {"ASCII",             "abc",                                  3},
        {"umlaut",            "f\303\274r",                           3},
        {"combining acute",   "e\314\201",                            1},
        {"Japanese",          "\346\227\245\346\234\254",             4},
        {"Japanese stop",     "\343\200\202",                         2},
        {"Thai with a mark",  "\340\270\234\340\270\271\340\271\211", 1},
        {"no-break space",    "a\302\240b",                           3},
        {"not UTF-8",         "a\377b",                               3},
        {"four octets, wide", "\360\237\230\200",                     2},
        {"empty",             "",                                     0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (columns_width(str_from(cases[i].text)) != cases[i].width)
            print_error("%s\n", cases[i].name);
        assert_int_equal(columns_width(str_from(cases[i].text)),
                         cases[i].width);
    }
}

/* "日本" and the like, to be read. */
#define NI "\346\227\245"
#define HON "\346\234\254"
#define GO "\350\252\236"
#define STOP "\343\200\202"
#define OPEN "\343\200\214"

static void
lines(void **state)
{
    static const struct {
        const char *name, *text;
        size_t width;
        const char *want; /* its lines, each ended by '|' */
    } cases[] = {
        {"fits",                  "one two",              10, "one two|"                },
        {"just fits",             "one two",              7,  "one two|"                },
        {"at the blank",          "one two three",        8,  "one two|three|"          },
        {"several blanks",        "one  two   three",     9,  "one  two|three|"         },
        {"long word stays whole", "a incomprehensible b", 6,
         "a|incomprehensible|b|"                                                        },
        {"first word too long",   "incomprehensible b",   6,  "incomprehensible|b|"     },
        {"wide, anywhere",        NI HON GO NI,           4,  NI HON "|" GO NI "|"      },
        {"no stop in front",      NI HON STOP GO,         4,  NI "|" HON STOP "|" GO "|"},
        {"no bracket at the end", NI OPEN HON,            4,  NI "|" OPEN HON "|"       },
        {"wide beside narrow",    "SMTP" NI HON,          6,  "SMTP" NI "|" HON "|"     },
        {"empty",                 "",                     5,  ""                        },
        {"blanks only",           "   ",                  5,  "|"                       },
        {"no-break space",        "ab\302\240: cd",       4,  "ab\302\240:|cd|"         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str text = str_from(cases[i].text);
        struct buf got = {0};
        while (text.n > 0) {
            size_t before = text.n;
            buf_add(&got, columns_take(&text, cases[i].width));
            buf_add_char(&got, '|');
            assert_true(text.n < before);
        }
        if (!str_eq(buf_str(&got), str_from(cases[i].want)))
            print_error("%s: got %s\n", cases[i].name, buf_cstr(&got));
        assert_string_equal(buf_cstr(&got), cases[i].want);
        buf_fini(&got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths),
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests_name("base/columns", tests, NULL, NULL);
}
