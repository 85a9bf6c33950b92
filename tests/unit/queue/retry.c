/* SPDX-License-Identifier: ISC */
#include "queue/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const struct retry_policy standard = {5 * MINUTE, 4 * HOUR, 5LL * DAY};

static void
waits(void **state)
{
    static const struct {
        uint32_t attempts;
        int64_t wait_ms;
    } cases[] = {
        {1,          5 * MINUTE  },
        {2,          10 * MINUTE },
        {3,          20 * MINUTE },
        {4,          40 * MINUTE },
        {5,          80 * MINUTE },
        {6,          160 * MINUTE},
        {7,          4 * HOUR    },
        {8,          4 * HOUR    },
        {UINT32_MAX, 4 * HOUR    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t next = 0;
        assert_true(
            retry_next(&standard, 1000, 2000, cases[i].attempts, &next));
        assert_int_equal(next, 2000 + cases[i].wait_ms);
    }
}

/* From arrival to the end as a server would live it: the waits never shrink
 * but for the last, which ends exactly at the limit. */
static void
a_whole_life(void **state)
{
    static const struct retry_policy policies[] = {
        {5 * MINUTE, 4 * HOUR, 5LL * DAY},
        {1,          1,        10       },
        {1000,       4000,     10000    },
        {MINUTE,     MINUTE,   30 * 1000}, // gives up before the first retry
        {0,          0,        5        }, // a wait of nothing would never end
    };
    (void)state;
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        const struct retry_policy *p = &policies[i];
        int64_t now = 12345, arrived = now, next = 0, before = 0;
        uint32_t attempts = 1;
        while (retry_next(p, arrived, now, attempts, &next)) {
            assert_true(next > now);
            assert_true(next <= arrived + p->give_up_ms);
            if (next < arrived + p->give_up_ms) {
                assert_true(next - now >= before);
                before = next - now;
            }
            now = next;
            attempts++;
        }
        assert_int_equal(now, arrived + p->give_up_ms);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits),
        cmocka_unit_test(a_whole_life),
    };
    return cmocka_run_group_tests_name("queue/retry", tests, NULL, NULL);
}
