/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spool/key.h"
#include "spool/spool.h"

static void
writing(void **state)
{
    static const struct {
        unsigned kind;
        uint32_t rcpts[6];
        size_t n;
        const char *want;
    } cases[] = {
        {NOTICE_BOUNCE,    {0},                1, "1-A.b.0"        },
        {NOTICE_AUTOREPLY, {7},                1, "1-A.a.7"        },
        {NOTICE_SUCCESS,   {1, 2},             2, "1-A.s.1-2"      },
        {NOTICE_BOUNCE,    {0, 1, 2, 5},       4, "1-A.b.0-2,5"    },
        {NOTICE_BOUNCE,    {0, 2, 3, 4, 8, 9}, 6, "1-A.b.0,2-4,8-9"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        key_format(&b, (struct msgid){1, 10}, cases[i].kind, cases[i].rcpts,
                   cases[i].n);
        assert_string_equal(buf_cstr(&b), cases[i].want);
        struct spool_key k;
        uint32_t first, last;
        size_t seen = 0;
        assert_true(key_parse(buf_str(&b), &k));
        assert_int_equal(k.kind, cases[i].kind);
        assert_int_equal(k.original.seq, 10);
        while (k.ranges.n > 0 && key_next(&k.ranges, &first, &last))
            for (uint32_t v = first; v <= last; v++)
                assert_int_equal(cases[i].rcpts[seen++], v);
        assert_int_equal(seen, cases[i].n);
        buf_fini(&b);
    }
}

static void
refusing(void **state)
{
    static const char *const bad[] = {
        "",         "1-A",      "1-A.b",     "1-A.b.",
        "1-A.c.0",  "1-A.b.x",  "1-A.b.2-1", "1-A.b.0,,1",
        "1.b.0",    "1-A.b.0-", "1-A.b.-1",  "1-A.b.0,4294967296",
        "1-A.b.0 ", "1-!.b.0",
    };
    struct spool_key k;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (key_parse(str_from(bad[i]), &k))
            fail_msg("accepted: %s", bad[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing),
        cmocka_unit_test(refusing),
    };
    return cmocka_run_group_tests_name("spool/key", tests, NULL, NULL);
}
