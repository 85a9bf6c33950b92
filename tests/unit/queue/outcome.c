/* SPDX-License-Identifier: ISC */
#include "queue/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct retry_policy policy = {1000, 4000, 10000};

/* Arrived at 0; `now` decides whether it is given up. */
static const struct {
    const char *name;
    enum outcome outcome;
    const char *sender;
    unsigned notify;
    bool away;
    int64_t now;
    enum fate fate;
    bool give_up;
    unsigned notice;
} cases[] = {
    {"delivered",                    OUTCOME_DELIVERED, "a@b", 0,              false, 1,     FATE_DELIVERED, false,
     NOTICE_NONE                                                                                                                                     },
    {"away",                         OUTCOME_DELIVERED, "a@b", 0,              true,  1,     FATE_DELIVERED, false,
     NOTICE_AUTOREPLY                                                                                                                                },
    {"away, null sender",            OUTCOME_DELIVERED, "",    0,              true,  1,     FATE_DELIVERED,
     false,                                                                                                         NOTICE_NONE                      },
    {"away, relayed",                OUTCOME_RELAYED,   "a@b", 0,              true,  1,     FATE_DELIVERED, false,
     NOTICE_NONE                                                                                                                                     },
    {"later",                        OUTCOME_LATER,     "a@b", 0,              false, 1,     FATE_DEFERRED,  false,
     NOTICE_NONE                                                                                                                                     },
    {"given up",                     OUTCOME_LATER,     "a@b", 0,              false, 10000, FATE_BOUNCED,   true,
     NOTICE_BOUNCE                                                                                                                                   },
    {"given up, null",               OUTCOME_LATER,     "",    0,              false, 10000, FATE_BOUNCED,   true,
     NOTICE_NONE                                                                                                                                     },
    {"refused",                      OUTCOME_REFUSED,   "a@b", 0,              false, 1,     FATE_BOUNCED,   false,
     NOTICE_BOUNCE                                                                                                                                   },
    {"refused, null",                OUTCOME_REFUSED,   "",    0,              false, 1,     FATE_BOUNCED,   false,
     NOTICE_NONE                                                                                                                                     },
    {"refused, never",               OUTCOME_REFUSED,   "a@b", NOTIFY_NEVER,   false, 1,
     FATE_BOUNCED,                                                                                           false, NOTICE_NONE                      },
    {"refused, failure",             OUTCOME_REFUSED,   "a@b", NOTIFY_FAILURE, false, 1,
     FATE_BOUNCED,                                                                                           false, NOTICE_BOUNCE                    },
    {"refused, success",             OUTCOME_REFUSED,   "a@b", NOTIFY_SUCCESS, false, 1,
     FATE_BOUNCED,                                                                                           false, NOTICE_NONE                      },
    {"refused, delay",               OUTCOME_REFUSED,   "a@b", NOTIFY_DELAY,   false, 1,
     FATE_BOUNCED,                                                                                           false, NOTICE_NONE                      },
    {"delivered, success",           OUTCOME_DELIVERED, "a@b", NOTIFY_SUCCESS, false, 1,
     FATE_DELIVERED,                                                                                         false, NOTICE_SUCCESS                   },
    {"delivered, failure",           OUTCOME_DELIVERED, "a@b", NOTIFY_FAILURE, false, 1,
     FATE_DELIVERED,                                                                                         false, NOTICE_NONE                      },
    {"delivered, success, null",     OUTCOME_DELIVERED, "",    NOTIFY_SUCCESS, false,
     1,                                                                                      FATE_DELIVERED, false, NOTICE_NONE                      },
    {"away, success",                OUTCOME_DELIVERED, "a@b", NOTIFY_SUCCESS, true,  1,
     FATE_DELIVERED,                                                                                         false, NOTICE_SUCCESS | NOTICE_AUTOREPLY},
    {"relayed, success",             OUTCOME_RELAYED,   "a@b", NOTIFY_SUCCESS, false, 1,
     FATE_DELIVERED,                                                                                         false, NOTICE_NONE                      },
    {"refused, never but failure",   OUTCOME_REFUSED,   "a@b",
     NOTIFY_NEVER | NOTIFY_FAILURE,                                            false, 1,     FATE_BOUNCED,   false, NOTICE_NONE                      },
    {"delivered, never but success", OUTCOME_DELIVERED, "a@b",
     NOTIFY_NEVER | NOTIFY_SUCCESS,                                            false, 1,     FATE_DELIVERED, false,
     NOTICE_NONE                                                                                                                                     },
    {"untried",                      OUTCOME_NONE,      "a@b", 0,              true,  99999, FATE_UNTRIED,   false,
     NOTICE_NONE                                                                                                                                     },
};

static void
fates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome_facts f = {.sender = str_from(cases[i].sender),
                                  .notify = cases[i].notify,
                                  .on_vacation = cases[i].away};
        struct verdict v = {.outcome = cases[i].outcome, .text = STR("451 no")};
        struct spool_settlement x = {.give_up = true, .notice = 99};
        enum fate fate = outcome_decide(&policy, &f, &v, cases[i].now, &x);
        if (fate != cases[i].fate || x.give_up != cases[i].give_up ||
            x.notice != cases[i].notice)
            fail_msg("%s: fate %d, give_up %d, notice %u", cases[i].name,
                     (int)fate, x.give_up, x.notice);
        assert_true(str_eq(x.verdict.text, v.text));
    }
}

/* RFC 3461 5.2.3: who takes a message without DSN reports nothing. */
static void
relayed_without_dsn(void **state)
{
    struct outcome_facts f = {.sender = STR("a@b"), .notify = NOTIFY_SUCCESS};
    struct verdict v = {.outcome = OUTCOME_RELAYED,
                        .reason = STR(VERDICT_NO_DSN)};
    struct spool_settlement x = {0};
    (void)state;
    assert_int_equal(outcome_decide(&policy, &f, &v, 1, &x), FATE_DELIVERED);
    assert_int_equal(x.notice, NOTICE_SUCCESS);
    f.notify = NOTIFY_DEFAULT;
    assert_int_equal(outcome_decide(&policy, &f, &v, 1, &x), FATE_DELIVERED);
    assert_int_equal(x.notice, NOTICE_NONE);
}

static void
next_attempt(void **state)
{
    struct outcome_facts f = {.arrived_ms = 0, .attempts = 1};
    struct verdict v = {.outcome = OUTCOME_LATER};
    struct spool_settlement x = {0};
    (void)state;
    assert_int_equal(outcome_decide(&policy, &f, &v, 1000, &x), FATE_DEFERRED);
    assert_int_equal(x.next_ms, 3000); // this was the second attempt
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fates),
        cmocka_unit_test(relayed_without_dsn),
        cmocka_unit_test(next_attempt),
    };
    return cmocka_run_group_tests_name("queue/outcome", tests, NULL, NULL);
}
