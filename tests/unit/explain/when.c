/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/when.h"

static const struct {
    const char *date, *want;
} cases[] = {
    {"Tue, 24 Nov 2026 05:47:43 +0100",       "2026-11-24T05:47:43+01:00"},
    {"Tue, 24 Nov 2026 05:47:43 +0100 (CET)", "2026-11-24T05:47:43+01:00"},
    {"24 Nov 2026 05:47 GMT",                 "2026-11-24T05:47:00Z"     },
    {"Mon, 4 Dec 99 17:00:01 -0800",          "1999-12-04T17:00:01-08:00"},
    {"1 Jan 05 00:00:00 EST",                 "2005-01-01T00:00:00-05:00"},
    {"Sun, 09 Sep 2001 01:46:40 -0000",       "2001-09-09T01:46:40Z"     },
    {"Tue, 24 November 2026 05:47:43 +0530",  "2026-11-24T05:47:43+05:30"},
    {"Tue, 24 Nov 2026 25:47:43 +0100",       ""                         },
    {"Tue, 32 Nov 2026 05:47:43 +0100",       ""                         },
    {"Tue, 24 Foo 2026 05:47:43 +0100",       ""                         },
    {"yesterday",                             ""                         },
    {"",                                      ""                         },
};

static void
writes_rfc3339(void **state)
{
    (void)state;
    struct arena a = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str got = when_rfc3339(&a, str_from(cases[i].date));
        if (!str_eq(got, str_from(cases[i].want)))
            fail_msg("%s: got %.*s", cases[i].date, STR_ARG(got));
    }
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(writes_rfc3339)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
