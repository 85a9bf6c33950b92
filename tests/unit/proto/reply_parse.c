/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/smtp/reply_parse.h"

/* The whole input, or one octet a time: what the parser says must not differ.
 */
static size_t
feed(struct smtp_reply *r, const char *input, size_t step)
{
    struct str rest = str_from(input);
    size_t used = 0;

    while (rest.n > 0 && r->state == SMTP_REPLY_PART) {
        size_t n = smtp_reply_feed(r, str_first(rest, step));
        rest = str_from_pos(rest, n);
        used += n;
    }
    return used;
}

static void
replies(void **state)
{
    static const struct {
        const char *input;
        enum smtp_reply_state want;
        unsigned code;
        const char *text;
        size_t rest;
    } cases[] = {
        {"250 ok\r\n",                   SMTP_REPLY_WHOLE, 250, "250 ok",       0},
        {"250\r\n",                      SMTP_REPLY_WHOLE, 250, "250",          0},
        {"250-a\r\n250 b\r\n",           SMTP_REPLY_WHOLE, 250, "250-a\n250 b", 0},
        {"250-a\r\n250\r\n",             SMTP_REPLY_WHOLE, 250, "250-a\n250",   0},
        {"220-a\r\n554 b\r\n",           SMTP_REPLY_WHOLE, 554, "220-a\n554 b", 0},
        {"250 a\r\n250 b\r\n",           SMTP_REPLY_WHOLE, 250, "250 a",        7},
        {"553 \xff\x01 odd octets\r\n",  SMTP_REPLY_WHOLE, 553,
         "553 \xff\x01 odd octets",                                             0},
        {"250-a\r\n250 b",               SMTP_REPLY_PART,  0,   NULL,           0},
        {"250 a\n",                      SMTP_REPLY_BAD,   0,   NULL,           1},
        {"250 a\rb\r\n",                 SMTP_REPLY_BAD,   0,   NULL,           3},
        {"HTTP/1.1 400 Bad Request\r\n", SMTP_REPLY_BAD,   0,   NULL,           0},
        {"\r\n",                         SMTP_REPLY_BAD,   0,   NULL,           0},
        {"25 ok\r\n",                    SMTP_REPLY_BAD,   0,   NULL,           0},
        {"2500 ok\r\n",                  SMTP_REPLY_BAD,   0,   NULL,           0},
        {"150 ok\r\n",                   SMTP_REPLY_BAD,   0,   NULL,           0},
        {"650 ok\r\n",                   SMTP_REPLY_BAD,   0,   NULL,           0},
        {"250_ok\r\n",                   SMTP_REPLY_BAD,   0,   NULL,           0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step <= 64; step *= 8) {
            struct smtp_reply r = {0};
            size_t used = feed(&r, cases[i].input, step);
            assert_int_equal(r.state, cases[i].want);
            assert_int_equal(strlen(cases[i].input) - used, cases[i].rest);
            if (r.state == SMTP_REPLY_WHOLE) {
                assert_int_equal(r.code, cases[i].code);
                assert_true(
                    str_eq(smtp_reply_text(&r), str_from(cases[i].text)));
            }
            assert_int_equal(r.problem != NULL, r.state == SMTP_REPLY_BAD);
            smtp_reply_fini(&r);
        }
}

/* A peer that never stops talking is cut off, by line, lines and octets. */
static void
endless(void **state)
{
    static const struct {
        size_t line, lines;
        enum smtp_reply_state want;
    } cases[] = {
        {SMTP_REPLY_LINE_MAX,     1,                        SMTP_REPLY_PART},
        {SMTP_REPLY_LINE_MAX + 1, 1,                        SMTP_REPLY_BAD },
        {10,                      SMTP_REPLY_LINES_MAX - 1, SMTP_REPLY_PART},
        {10,                      SMTP_REPLY_LINES_MAX,     SMTP_REPLY_BAD },
        {SMTP_REPLY_LINE_MAX - 1, 8,                        SMTP_REPLY_PART},
        {SMTP_REPLY_LINE_MAX,     8,                        SMTP_REPLY_BAD },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct smtp_reply r = {0};
        struct buf in = {0};
        for (size_t j = 0; j < cases[i].lines; j++) {
            buf_add(&in, STR("250-"));
            for (size_t n = 4; n < cases[i].line; n++)
                buf_add_char(&in, 'x');
            buf_add(&in, STR("\r\n"));
        }
        (void)smtp_reply_feed(&r, buf_str(&in));
        assert_int_equal(r.state, cases[i].want);
        assert_true(r.text.n <= SMTP_REPLY_MAX + 1);
        smtp_reply_fini(&r);
        buf_fini(&in);
    }
}

static void
one_after_the_other(void **state)
{
    struct smtp_reply r = {0};
    struct str in = STR("250-a\r\n250 b\r\n354 go\r\n");
    (void)state;

    assert_true(smtp_reply_empty(&r));
    in = str_from_pos(in, smtp_reply_feed(&r, in));
    assert_false(smtp_reply_empty(&r));
    assert_int_equal(smtp_reply_feed(&r, in), 0);
    smtp_reply_next(&r);
    assert_true(smtp_reply_empty(&r));
    assert_int_equal(smtp_reply_feed(&r, in), in.n);
    assert_int_equal(r.code, 354);
    assert_true(str_eq(smtp_reply_text(&r), STR("354 go")));
    smtp_reply_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(endless),
        cmocka_unit_test(one_after_the_other),
    };
    return cmocka_run_group_tests_name("proto/reply_parse", tests, NULL, NULL);
}
