/* SPDX-License-Identifier: ISC */
#include "cli/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define TODAY (20781 * DAY)     /* 2026-11-24 */
#define NOW (TODAY + 12 * HOUR) /* noon */

static void
forms(void **state)
{
    static const struct {
        const char *text;
        int64_t from_ms, until_ms; /* 0, 0: no time */
    } cases[] = {
        {"24h",                  NOW - DAY,                    NOW - DAY                 },
        {"90m",                  NOW - 90 * MINUTE,            NOW - 90 * MINUTE         },
        {"30s",                  NOW - 30 * SECOND,            NOW - 30 * SECOND         },
        {"7d",                   NOW - 7 * DAY,                NOW - 7 * DAY             },
        {"10:32",                TODAY + 632 * MINUTE,         TODAY + 633 * MINUTE - 1  },
        {"10:32:05",             TODAY + 37925 * SECOND,       TODAY + 37926 * SECOND - 1},
        {"10:32Z",               TODAY + 632 * MINUTE,         TODAY + 633 * MINUTE - 1  },
        {"23:00",                TODAY - HOUR,                 TODAY - HOUR + MINUTE - 1 },
        {"12:00",                NOW,                          NOW + MINUTE - 1          },
        {"2026-11-24",           TODAY,                        TODAY + DAY - 1           },
        {"2026-11-23T10:32",     TODAY - DAY + 632 * MINUTE,
         TODAY - DAY + 633 * MINUTE - 1                                                  },
        {"2026-11-23 10:32:05Z", TODAY - DAY + 37925 * SECOND,
         TODAY - DAY + 37926 * SECOND - 1                                                },
        {"",                     0,                            0                         },
        {"h",                    0,                            0                         },
        {"-1h",                  0,                            0                         },
        {"9999999h",             0,                            0                         },
        {"24:00",                0,                            0                         },
        {"10:60",                0,                            0                         },
        {"10:32:60",             0,                            0                         },
        {"10:3",                 0,                            0                         },
        {"10:32x",               0,                            0                         },
        {"2026-02-30",           0,                            0                         },
        {"2026-11-24T",          0,                            0                         },
        {"2026-11-24x10:32",     0,                            0                         },
        {"yesterday",            0,                            0                         },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct moment m = {0};
        bool is = moment_parse(str_from(cases[i].text), NOW, &m);
        bool want = cases[i].until_ms != 0;
        if (is != want || (is && (m.from_ms != cases[i].from_ms ||
                                  m.until_ms != cases[i].until_ms)))
            fail_msg("\"%s\": %d, %lld to %lld", cases[i].text, is,
                     (long long)(m.from_ms - TODAY),
                     (long long)(m.until_ms - TODAY));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms)};
    return cmocka_run_group_tests_name("cli/moment", tests, NULL, NULL);
}
