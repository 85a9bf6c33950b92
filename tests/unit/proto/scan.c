/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proto/smtp/scan.h"

static const struct {
    const char *name, *in, *content; /* content NULL: no end found */
    bool bare, dots;
    const char *rest; /* behind the end */
} cases[] = {
    {"empty",               ".\r\n",              "",             false, false, ""        },
    {"plain",               "a\r\nb\r\n.\r\n",    "a\r\nb\r\n",   false, false, ""        },
    {"rest stays",          "a\r\n.\r\nQUIT\r\n", "a\r\n",        false, false, "QUIT\r\n"},
    {"dot removed",         ".a\r\n.\r\n",        "a\r\n",        false, false, ""        },
    {"two dots",            "..a\r\n.\r\n",       ".a\r\n",       false, true,  ""        },
    {"dots alone",          "..\r\n.\r\n",        ".\r\n",        false, true,  ""        },
    {"dot in the middle",   "a.\r\n.\r\n",        "a.\r\n",       false, false, ""        },
    {"bare lf",             "a\nb\r\n.\r\n",      "a\nb\r\n",     true,  false, ""        },
    {"bare cr",             "a\rb\r\n.\r\n",      "a\rb\r\n",     true,  false, ""        },
    {"two cr",              "a\r\r\n.\r\n",       "a\r\r\n",      true,  false, ""        },
    {"lf first",            "\n\r\n.\r\n",        "\n\r\n",       true,  false, ""        },
    {"lf dot lf is no end", "a\n.\nb\r\n.\r\n",   "a\n.\nb\r\n",  true,  false, ""        },
    {"crlf dot lf",         "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", true,  false, ""        },
    {"no end yet",          "a\r\n.\r",           NULL,           false, false, ""        },
    {"no end, dot only",    "a\r\n.",             NULL,           false, false, ""        },
};

/* Runs one case in pieces of the given size. */
static void
run(size_t at, size_t piece)
{
    struct smtp_scan s = {0};
    struct buf content = {0};
    struct str in = str_from(cases[at].in), out;
    bool end = false;

    while (in.n > 0 && !end) {
        struct str part = str_first(in, piece);
        size_t used = smtp_scan_data(&s, part, &out, &end);
        assert_true(used > 0 && used <= part.n);
        buf_add(&content, out);
        in = str_from_pos(in, used);
    }
    if (end != (cases[at].content != NULL))
        fail_msg("%s/%zu: end %d", cases[at].name, piece, end);
    if (end && !str_eq(buf_str(&content), str_from(cases[at].content)))
        fail_msg("%s/%zu: content \"%.*s\"", cases[at].name, piece,
                 STR_ARG(buf_str(&content)));
    if (s.bare != cases[at].bare || s.dots != cases[at].dots)
        fail_msg("%s/%zu: bare %d, dots %d", cases[at].name, piece, s.bare,
                 s.dots);
    assert_true(!end || str_eq(in, str_from(cases[at].rest)));
    buf_fini(&content);
}

static void
data(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t piece = 1; piece < 20; piece++)
            run(i, piece);
}

/* The hot path: text without dots at line starts is one slice. */
static void
large_slices(void **state)
{
    struct smtp_scan s = {0};
    struct buf b = {0};
    struct str out;
    bool end;
    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_add(&b, STR("a line of text, with a dot. Or two..\r\n"));
    assert_int_equal(smtp_scan_data(&s, buf_str(&b), &out, &end), b.n);
    assert_int_equal(out.n, b.n);
    assert_ptr_equal(out.p, b.p);
    assert_false(s.bare);
    buf_fini(&b);
}

static void
long_lines(void **state)
{
    static char text[1000];
    struct smtp_scan s = {0};
    struct str out;
    bool end;
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t n = 0; n + sizeof text <= SMTP_TEXT_LINE_MAX; n += sizeof text)
        (void)smtp_scan_data(&s, str_from_n(text, sizeof text), &out, &end);
    assert_false(s.too_long);
    (void)smtp_scan_data(&s, str_from_n(text, sizeof text), &out, &end);
    assert_true(s.too_long);
}

static void
chunks(void **state)
{
    struct smtp_scan s = {0};
    (void)state;
    smtp_scan_chunk(&s, STR("a\r"));
    smtp_scan_chunk(&s, STR("\nb.\r\n"));
    assert_false(s.bare || s.dots);
    assert_int_equal(s.at, SCAN_LINE_START);
    smtp_scan_chunk(&s, STR(".\r\n."));
    assert_false(s.bare);
    assert_true(s.dots);
    smtp_scan_chunk(&s, STR("\n"));
    assert_true(s.bare);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data),
        cmocka_unit_test(large_slices),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(chunks),
    };
    return cmocka_run_group_tests_name("proto/smtp/scan", tests, NULL, NULL);
}
