/* SPDX-License-Identifier: ISC */
/* What the journal hears of outcomes. */
#include "queue/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os/channel.h"
#include "os/log.h"
#include "room/diary.h"

static struct loop *loop;
static struct timer *limit;
static struct diary *diary;
static struct channel *journal;
static struct buf heard;

static void
on_limit(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

static void
add(const char *label, struct str s)
{
    if (s.n > 0)
        buf_addf(&heard, " %s=%.*s", label, STR_ARG(s));
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct arena a = {0};
    struct journal_msg m;
    (void)ctx;

    assert_int_equal(fd, -1);
    assert_true(journal_decode(&a, frame, &m));
    for (size_t i = 0; i < m.n; i++) {
        const struct journal_event *e = &m.events[i];
        buf_add(&heard, str_from(journal_kind_name(e->kind)));
        add("from", e->sender);
        add("to", e->recipient);
        add("session", e->session);
        add("user", e->user);
        add("remote", e->remote);
        add("reply", e->reply);
        add("status", e->status);
        add("reason", e->reason);
        add("detail", e->detail);
        if (e->next_ms != 0)
            buf_addf(&heard, " next=%lld", (long long)e->next_ms);
        if (e->recipients != 0)
            buf_addf(&heard, " targets=%u", e->recipients);
    }
    arena_fini(&a);
}

static void
on_end(void *ctx)
{
    (void)ctx;
}

static const char *
hear(void)
{
    buf_clear(&heard);
    timer_set(limit, loop_now(loop).mono_ms + 10);
    loop_run(loop);
    return buf_cstr(&heard);
}

static int
set_up(void **state)
{
    int fds[2];
    (void)state;

    log_open("test", false, LOG_ERROR);
    loop = loop_new();
    limit = timer_new(loop, on_limit, NULL);
    diary = diary_new(loop);
    assert_true(channel_pair(fds));
    journal = channel_new(loop, fds[0], on_frame, on_end, NULL);
    diary_attach(diary, fds[1]);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    diary_free(diary);
    channel_free(journal);
    loop_free(loop);
    buf_fini(&heard);
    return 0;
}

static struct sched_message
message(const char *sender)
{
    return (struct sched_message){
        .envelope = {.sender = str_from(sender),
                     .session = STR("S-1"),
                     .auth_user = STR("ann"),
                     .client = STR("192.0.2.1")}
    };
}

static void
outcomes(void **state)
{
    static const struct {
        const char *name, *sender;
        enum fate fate;
        enum outcome outcome;
        bool give_up;
        unsigned notice;
        const char *reason, *want;
    } cases[] = {
        {"into a mailbox",                   "a@b", FATE_DELIVERED, OUTCOME_DELIVERED, false,
         NOTICE_AUTOREPLY,                                                                                   "",
         "delivered from=a@b to=x@y remote=mx reply=said"                                                                                                                      },
        {"to another host",                  "",    FATE_DELIVERED, OUTCOME_RELAYED,   false,
         NOTICE_NONE,                                                                                        "",                  "relayed from=<> to=x@y remote=mx reply=said"},
        {"later",                            "a@b", FATE_DEFERRED,  OUTCOME_LATER,     false, NOTICE_NONE,   "",
         "deferred from=a@b to=x@y session=S-1 user=ann remote=mx reply=said "
         "status=4.2.1 next=5000"                                                                                                                                              },
        {"refused, the sender is told",      "a@b", FATE_BOUNCED,   OUTCOME_REFUSED,
         false,                                                                               NOTICE_BOUNCE, "unknown-recipient",
         "failed from=a@b to=x@y session=S-1 user=ann remote=mx reply=said "
         "status=4.2.1 reason=unknown-recipient detail=the sender is told"                                                                                                     },
        {"refused, there is nobody to tell", "",    FATE_BOUNCED,   OUTCOME_REFUSED,
         false,                                                                               NOTICE_NONE,   "",
         "failed from=<> to=x@y session=S-1 user=ann remote=mx reply=said "
         "status=4.2.1 detail=the sender is not told"                                                                                                                          },
        {"too long",                         "a@b", FATE_BOUNCED,   OUTCOME_LATER,     true,  NOTICE_BOUNCE,
         "",                                                                                                                      "failed from=a@b to=x@y session=S-1 user=ann remote=mx reply=said "
         "status=4.2.1 reason=expired detail=the sender is told"                                                                                                   },
        {"too long, for a reason we know",   "a@b", FATE_BOUNCED,   OUTCOME_LATER,
         true,                                                                                NOTICE_BOUNCE, "recipient-full",
         "failed from=a@b to=x@y session=S-1 user=ann remote=mx reply=said "
         "status=4.2.1 reason=recipient-full detail=the sender is told"                                                                                                        },
        {"not tried",                        "a@b", FATE_UNTRIED,   OUTCOME_NONE,      false, NOTICE_NONE,   "",
         ""                                                                                                                                                                    },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sched_message m = message(cases[i].sender);
        struct spool_settlement x = {
            .next_ms = 5000,
            .give_up = cases[i].give_up,
            .notice = cases[i].notice,
            .verdict = {.outcome = cases[i].outcome,
                        .status = {4, 2, 1},
                        .reason = str_from(cases[i].reason),
                        .text = STR("said"),
                        .remote = STR("mx")}
        };
        events_settled(diary, &(struct schedule_event){.fate = cases[i].fate,
                                                       .message = &m,
                                                       .address = STR("x@y"),
                                                       .settlement = &x});
        events_settled(NULL, &(struct schedule_event){.fate = cases[i].fate,
                                                      .message = &m,
                                                      .address = STR("x@y"),
                                                      .settlement = &x});
        if (strcmp(hear(), cases[i].want) != 0)
            fail_msg("%s: %s\nexpected %s", cases[i].name, buf_cstr(&heard),
                     cases[i].want);
    }
}

static void
expansion(void **state)
{
    struct sched_message m = message("a@b");
    (void)state;

    events_expanded(diary, &m, STR("all@y"), 3);
    assert_string_equal(hear(), "expanded to=all@y session=S-1 targets=3");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(outcomes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expansion, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("queue/events", tests, NULL, NULL);
}
