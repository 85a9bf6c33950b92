/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/math.h"
#include "explain/explain.h"
#include "explain/mbox.h"

#define FROM "From a@b.example  Tue Nov 24 08:05:59 2026\n"

/* The messages of a file that comes in pieces of `step`, each ended by "|",
 * "+" where it is cut; "1" in front where there is only one. */
static void
split(struct buf *to, struct str file, size_t step)
{
    struct mbox m = {0};
    struct mbox_message one;
    uint64_t n = 0;
    do {
        struct str piece = str_first(file, step);
        file = str_from_pos(file, piece.n);
        buf_add(&m.in, piece);
        m.ended = piece.n == 0;
        while (mbox_next(&m, &one)) {
            assert_int_equal(one.number, ++n);
            buf_add(to, one.only ? STR("1") : STR_EMPTY);
            buf_add(to, one.octets);
            buf_add(to, one.cut ? STR("+|") : STR("|"));
        }
    } while (!m.ended);
    mbox_fini(&m);
}

static const struct {
    const char *name, *file, *want;
} cases[] = {
    {"nothing",                        "",                                                        ""                                                                      },
    {"one",                            FROM "A: 1\n\nx\n",                                        "1A: 1\n\nx\n|"                                                         },
    {"no end of line",                 FROM "A: 1\n\nx",                                          "1A: 1\n\nx|"                                                           },
    {"only its line",                  FROM,                                                      "1|"                                                                    },
    {"two",                            FROM "A: 1\n\n" FROM "B: 2\n\n",                           "A: 1\n|B: 2\n|"                                                        },
    {"text between",                   FROM "\nx\n" FROM "y\n",                                   "1\nx\n" FROM "y\n|"                                                    },
    {"CRLF",
     "From a Tue Nov 24 08:05 2026\r\nA: 1\r\n\r\nFrom - Tue, 24 Nov 2026 "
     "08:05:59 +0100\r\nB: 2\r\n",                                                                "A: 1\r\n|B: 2\r\n|"                                                    },
    {"zone before the year",
     FROM "A: 1\n\nFrom 17@xxx Sat Dec 28 10:33:25 +0000 2019\nB: 2\n",
     "A: 1\n|B: 2\n|"                                                                                                                                                     },
    {"no date",                        FROM "A: 1\n\nFrom here on it is text\nFrom Mon to Fri\n",
     "1A: 1\n\nFrom here on it is text\nFrom Mon to Fri\n|"                                                                                                               },
    {"a day and a clock make no date", FROM "A: 1\n\nFrom Sat 24 at 08:05 on\n",
     "1A: 1\n\nFrom Sat 24 at 08:05 on\n|"                                                                                                                                },
    {"mboxo",                          FROM "A: 1\n\n>From here\n",                               "1A: 1\n\nFrom here\n|"                                                 },
    {"mboxrd",
     FROM
     "A: 1\n\n>>From here\n> >From\n>From: x\n>From a\n>>>From b\nx >From c\n",                   "1A: 1\n\n>From here\n> >From\n>From: x\nFrom a\n>>From b\nx >From c\n|"},
    {"starts without one",             "A: 1\n\n" FROM "B: 2\n",                                  "A: 1\n|B: 2\n|"                                                        },
    {"empty lines in front",           "\n" FROM "B: 2\n",                                        "\n|B: 2\n|"                                                            },
    {"lines that end late",
     FROM "A: 1\n\n\nFrom \n\nFrom a@b\n\n" FROM "\n\n" FROM,
     "A: 1\n\n\nFrom \n\nFrom a@b\n|\n|"
     "|"                                                                                                                                                                  },
};

static void
splitting(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str file = str_from(cases[i].file);
        for (size_t step = 1; step <= file.n + 1; step++) {
            struct buf got = {0};
            split(&got, file, step);
            if (!str_eq(buf_str(&got), str_from(cases[i].want)))
                fail_msg("%s, by %zu: %.*s", cases[i].name, step,
                         STR_ARG(buf_str(&got)));
            buf_fini(&got);
        }
    }
}

static void
beginning(void **state)
{
    (void)state;
    assert_true(mbox_begins(STR(FROM "x")));
    assert_true(mbox_begins(STR("From - Tue Nov 24 08:05:59 2026\r\n")));
    assert_false(mbox_begins(STR("From: a@b.example\n")));
    assert_false(mbox_begins(STR("From what I see, it is lost\n")));
    assert_false(mbox_begins(STR_EMPTY));
}

/* What a too long message goes on with is stepped over, and not kept. */
static void
long_message(void **state)
{
    (void)state;
    const struct str front = STR(FROM "A: 1\n\n");
    struct str line = STR("0123456789 From 0123456789\n");
    struct mbox m = {0};
    struct mbox_message one;
    size_t fed = 0, most = 0;

    buf_add(&m.in, front);
    while (fed < 3 * (size_t)EXPLAIN_LONGEST) {
        for (size_t i = 0; i < 4096; i++)
            buf_add(&m.in, line);
        fed += 4096 * line.n;
        while (mbox_next(&m, &one)) {
            assert_true(one.cut);
            assert_int_equal(one.number, 1);
            assert_int_equal(one.octets.n, EXPLAIN_LONGEST);
        }
        most = math_max(most, m.in.n);
    }
    assert_int_equal(m.n, 1);
    assert_true(most < EXPLAIN_LONGEST + 4096 * line.n + 2048);
    assert_true(m.in.n < 100);
    buf_add(&m.in, STR("\n"));
    assert_false(mbox_next(&m, &one));
    buf_add(&m.in, STR(FROM "B: 2\n"));
    m.ended = true;
    assert_true(mbox_next(&m, &one));
    assert_false(one.cut || one.only);
    assert_true(str_eq(one.octets, STR("B: 2\n")));
    assert_false(mbox_next(&m, &one));
    mbox_fini(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splitting),
        cmocka_unit_test(beginning),
        cmocka_unit_test(long_message),
    };
    return cmocka_run_group_tests_name("explain/mbox", tests, NULL, NULL);
}
