/* SPDX-License-Identifier: ISC */
#include "queue/notices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
excerpts(void **state)
{
    static const struct {
        const char *content;
        enum dsn_ret ret;
        const char *excerpt;
    } cases[] = {
        {"A: b\r\n\r\nbody\r\n", DSN_RET_DEFAULT, "A: b\r\n\r\nbody\r\n"},
        {"A: b\r\n\r\nbody\r\n", DSN_RET_FULL,    "A: b\r\n\r\nbody\r\n"},
        {"A: b\r\n\r\nbody\r\n", DSN_RET_HDRS,    "A: b\r\n"            },
        {"A: b\r\n",             DSN_RET_HDRS,    "A: b\r\n"            },
        {"\r\nbody\r\n\r\n",     DSN_RET_HDRS,    "\r\n"                },
        {"",                     DSN_RET_HDRS,    ""                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool headers_only;
        struct str s = notices_excerpt(str_from(cases[i].content), cases[i].ret,
                                       &headers_only);
        assert_true(str_eq(s, str_from(cases[i].excerpt)));
        assert_int_equal(headers_only, cases[i].ret == DSN_RET_HDRS);
    }
}

static void
too_large(void **state)
{
    struct buf b = {0};
    bool headers_only;
    struct str s;
    (void)state;
    buf_add(&b, STR("A: b\r\n\r\n"));
    memset(buf_reserve(&b, NOTICE_FULL_MAX), 'x', NOTICE_FULL_MAX);
    b.n = NOTICE_FULL_MAX;
    assert_int_equal(
        notices_excerpt(buf_str(&b), DSN_RET_FULL, &headers_only).n, b.n);
    assert_false(headers_only);
    b.n++;
    s = notices_excerpt(buf_str(&b), DSN_RET_FULL, &headers_only);
    assert_true(headers_only);
    assert_true(str_eq(s, STR("A: b\r\n")));

    b.p[5] = 'x'; // a header that never ends is cut all the same
    s = notices_excerpt(buf_str(&b), DSN_RET_FULL, &headers_only);
    assert_int_equal(s.n, NOTICE_FULL_MAX);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excerpts),
        cmocka_unit_test(too_large),
    };
    return cmocka_run_group_tests_name("queue/notices", tests, NULL, NULL);
}
