/* SPDX-License-Identifier: ISC */
/* Rules for content: the file, the header's fields, the body in any pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "gate/rules.h"

static const char file[] = "# rules\n"
                           "header /^subject:.*cheap pills$/i  pills \n"
                           "body /buy\\/sell/\n"
                           "\n"
                           "/^X-Bad:/\r\n"
                           "body /^exact$/x\n"
                           "body /(a+)+$/\n";

static struct rules *
compile(const char *text)
{
    struct buf problems = {0};
    struct rules *r = rules_new(str_from(text), &problems);
    if (r == NULL)
        fail_msg("%s", buf_cstr(&problems));
    buf_fini(&problems);
    return r;
}

static const struct {
    const char *header, *body;
    uint32_t line;
} messages[] = {
    {"Subject: hello\r\n",                     "Hello.\r\n",                 0},
    {"Subject: CHEAP PILLS\r\n",               "",                           2},
    {"Subject: Very\r\n cheap\r\n\tpills\r\n", "",                           0},
    {"Subject: Very\r\n cheap pills\r\n",      "",                           2},
    {"Subject: cheap pills\r\nTo: x\r\n",      "",                           2},
    {"To: x\r\nX-Bad: y",                      "",                           5},
    {"X-Bad: y\r\nSubject: cheap pills\r\n",   "buy/sell",                   2},
    {"To: x\r\n",                              "\r\nX-Bad: in the body\r\n", 0},
    {"To: buy/sell\r\n",                       "",                           0},
    {"To: x\r\n",                              "\r\nwe buy/sell it\r\n",     3},
    {"To: x\r\n",                              "\r\nwe buy/\r\nsell it\r\n", 0},
    {"To: x\r\n",                              "\r\nexact\r\nbuy/sell",      3},
    {"To: x\r\n",                              "exact",                      6},
    {"To: x\r\n",                              "not exact\r\n",              0},
};

static void
scan(void **state)
{
    struct rules *r = compile(file);
    (void)state;
    assert_int_equal(rules_count(r), 5);
    assert_true(str_eq(rules_remark(r, 2), STR("pills")));
    assert_int_equal(rules_remark(r, 3).n, 0);
    assert_int_equal(rules_remark(r, 1).n, 0);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct str body = str_from(messages[i].body);
        for (size_t step = 1; step <= body.n + 1; step++) {
            struct rules_scan x = {.rules = r};
            rules_scan_header(&x, str_from(messages[i].header));
            for (size_t at = 0; at < body.n; at += step)
                rules_scan_body(&x, str_first(str_from_pos(body, at), step));
            rules_scan_end(&x);
            if (x.line != messages[i].line)
                fail_msg("message %zu in steps of %zu: line %u", i, step,
                         x.line);
        }
    }
    rules_free(r);
}

/* An expression that would take for ever does not match, and soon. */
static void
backtracking_is_bounded(void **state)
{
    struct rules *r = compile(file);
    struct rules_scan x = {.rules = r};
    struct buf line = {0};
    (void)state;
    for (size_t i = 0; i < 3000; i++)
        buf_add_char(&line, 'a');
    buf_add(&line, STR("b\r\n"));
    for (size_t i = 0; i < 50; i++)
        rules_scan_body(&x, buf_str(&line));
    rules_scan_end(&x);
    assert_int_equal(x.line, 0);
    buf_fini(&line);
    rules_free(r);
}

/* Long lines go in pieces; beyond a limit the body is not looked at. */
static void
long_bodies(void **state)
{
    static const struct {
        size_t before;
        uint32_t line;
    } cases[] = {
        {RULES_LINE_MAX,      3},
        {3 * RULES_LINE_MAX,  3},
        {RULES_BODY_MAX - 8,  3},
        {RULES_BODY_MAX - 7,  0},
        {RULES_BODY_MAX + 99, 0},
    };
    struct rules *r = compile("\n\nbody /buy\\/sell/");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rules_scan x = {.rules = r};
        for (size_t n = 0; n < cases[i].before; n++)
            rules_scan_body(&x, STR("-"));
        rules_scan_body(&x, STR("buy/sell"));
        rules_scan_end(&x);
        assert_int_equal(x.line, cases[i].line);
    }
    rules_free(r);
}

static void
wrong_files(void **state)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"/(/",                     "1: missing closing parenthesis" },
        {"/a/\nsubject /a/",        "2: expected [header|body] /EXPR"},
        {"/a",                      "1: expected"                    },
        {"//",                      "1: expected"                    },
        {"/a\\/",                   "1: expected"                    },
        {"/a/q",                    "1: expected"                    },
        {"/a/i;",                   "1: expected"                    },
        {"/a\\Cb/",                 "1: "                            },
        {"# fine\n\nbody/a/\nbody", "4: expected"                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf problems = {0};
        assert_null(rules_new(str_from(cases[i].text), &problems));
        if (!str_starts(buf_str(&problems), str_from(cases[i].problem)))
            fail_msg("%s: %s", cases[i].text, buf_cstr(&problems));
        buf_fini(&problems);
    }
}

static void
too_many(void **state)
{
    struct buf text = {0}, problems = {0};
    (void)state;
    for (size_t i = 0; i < RULES_MAX + 50; i++)
        buf_addf(&text, "/rule %zu/\n", i);
    assert_null(rules_new(buf_str(&text), &problems));
    assert_string_equal(buf_cstr(&problems),
                        "1001: expected at most 1000 rules\n");
    buf_fini(&text);
    buf_fini(&problems);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan),
        cmocka_unit_test(backtracking_is_bounded),
        cmocka_unit_test(long_bodies),
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(too_many),
    };
    return cmocka_run_group_tests_name("gate/rules", tests, NULL, NULL);
}
