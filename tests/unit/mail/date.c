/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/date.h"

static void
moments(void **state)
{
    static const struct {
        int64_t ms;
        int offset;
        const char *mail, *log;
    } cases[] = {
        {0,             0,    "Thu, 1 Jan 1970 00:00:00 +0000",  "1970-01-01T00:00:00.000Z"},
        {1795499263123, 0,    "Tue, 24 Nov 2026 05:47:43 +0000",
         "2026-11-24T05:47:43.123Z"                                                        },
        {1795499263123, 345,  "Tue, 24 Nov 2026 11:32:43 +0545",
         "2026-11-24T05:47:43.123Z"                                                        },
        {1795499263123, -480, "Mon, 23 Nov 2026 21:47:43 -0800",
         "2026-11-24T05:47:43.123Z"                                                        },
        {951782399999,  0,    "Mon, 28 Feb 2000 23:59:59 +0000",
         "2000-02-28T23:59:59.999Z"                                                        },
        {951782400000,  0,    "Tue, 29 Feb 2000 00:00:00 +0000",
         "2000-02-29T00:00:00.000Z"                                                        },
        {4107542400000, 0,    "Mon, 1 Mar 2100 00:00:00 +0000",
         "2100-03-01T00:00:00.000Z"                                                        },
        {1609459199000, 60,   "Fri, 1 Jan 2021 00:59:59 +0100",
         "2020-12-31T23:59:59.000Z"                                                        },
        {-1,            -60,  "Thu, 1 Jan 1970 00:00:00 -0100",  "1970-01-01T00:00:00.000Z"},
        {INT64_MAX,     0,    "Fri, 31 Dec 9999 23:59:59 +0000",
         "9999-12-31T23:59:59.999Z"                                                        },
        {INT64_MIN,     0,    "Thu, 1 Jan 1970 00:00:00 +0000",
         "1970-01-01T00:00:00.000Z"                                                        },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        date_add_mail(&b, cases[i].ms, cases[i].offset);
        assert_string_equal(buf_cstr(&b), cases[i].mail);
        buf_clear(&b);
        date_add_log(&b, cases[i].ms);
        assert_string_equal(buf_cstr(&b), cases[i].log);
        buf_fini(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moments)};
    return cmocka_run_group_tests_name("mail/date", tests, NULL, NULL);
}
