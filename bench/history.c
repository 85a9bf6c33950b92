/* SPDX-License-Identifier: ISC */
/*
 * Fills a journal with events as a busy server has them, through the journal's
 * own writer: most are refusals of strangers, the rest messages that come, are
 * delivered, relayed, deferred, bounced.
 *
 *     bench/history FOLDER EVENTS DAYS    prints events/s and ids to ask for
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "journal/chronicle.h"
#include "os/disk.h"

enum { BATCH = 256, DAY_MS = 24 * 60 * 60 * 1000, REPORT_LINES = 14 };

static uint64_t seed = 88172645463325252U;

static uint32_t
pick(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % below;
}

static void
run_now(void *ctx, enum lane lane, struct task *task)
{
    (void)ctx;
    (void)lane;
    task->run(task);
    task->done(task);
}

static struct journal_event
make(struct arena *a, uint64_t n, int64_t at_ms)
{
    static const char *const reasons[] = {
        "unknown-recipient", "relay-denied",   "sender-domain-missing",
        "client-refused",    "sender-refused", "sender-not-yours"};
    static const char *const checks[] = {"client", "badmailfrom", "relay",
                                         "recipient"};
    uint32_t what = pick(100);
    struct journal_event e = {.at_ms = at_ms, .count = 1};
    struct str far =
        arena_printf(a, "u%u@d%u.example", pick(2000000), pick(100000));
    struct str near =
        arena_printf(a, "a%u@host%u.example", pick(50000), pick(500));

    e.session = arena_printf(a, "S%010" PRIX64, n / 3);
    e.client = arena_printf(a, "198.%u.%u.%u", pick(32), pick(256), pick(256));
    e.sender = far;
    e.recipient = near;
    if (what < 60) {
        struct buf report = {0};
        for (int i = 0; i < REPORT_LINES; i++)
            buf_addf(&report, "%s\tpassed\tgate.%s:%d\t\t\t\n", checks[i % 4],
                     checks[i % 4], i);
        e.kind = JOURNAL_REFUSED;
        e.incident = arena_printf(a, "I%010" PRIX64, n);
        e.reason = str_from(reasons[what % 6]);
        e.rule = str_from(checks[what % 4]);
        e.option = STR("gate.badmailfrom");
        e.helo = STR("mail.far.example");
        e.reply = STR("553-5.1.1 There is no such mailbox here.\r\n553-5.1.1 "
                      "Check the spelling.\r\n553 5.1.1 unknown-recipient x");
        e.report = arena_dup(a, buf_str(&report));
        buf_fini(&report);
        return e;
    }
    e.message = arena_printf(a, "M%" PRIX64, n / 2);
    if (what < 80) {
        e.kind = JOURNAL_ACCEPTED;
        e.protocol = STR("ESMTPS");
        e.recipients = 1;
        e.size = 4096 + pick(100000);
    } else if (what < 97) {
        e.kind = JOURNAL_DELIVERED;
        e.client = e.session = STR_EMPTY;
    } else {
        e.kind = JOURNAL_DEFERRED;
        e.remote = STR("mx.far.example [192.0.2.7]:25");
        e.reply = STR("451 4.2.1 try again later");
        e.status = STR("4.2.1");
    }
    return e;
}

static void
print_questions(const struct journal_event *e)
{
    if (e->incident.n > 0)
        (void)printf("incident %.*s\n", STR_ARG(e->incident));
    if (e->message.n > 0)
        (void)printf("message %.*s\n", STR_ARG(e->message));
    (void)printf("from %.*s\nto %.*s\n", STR_ARG(e->sender),
                 STR_ARG(e->recipient));
    if (e->client.n > 0)
        (void)printf("ip %.*s\n", STR_ARG(e->client));
}

static int
fill(const char *folder, uint64_t events, int64_t days)
{
    struct instant now = {.wall_ms = 1795564800000 - (days - 1) * DAY_MS,
                          .mono_ms = 1};
    struct chronicle_setup setup = {.disk = os_disk(),
                                    .executor = {.submit = run_now},
                                    .folder = str_from(folder),
                                    .retention_ms = 3650LL * DAY_MS};
    const struct chronicle_source source = {.incarnation = 1,
                                            .room = STR("receive")};
    struct journal_event list[BATCH];
    struct err e;
    int64_t begin = now.wall_ms;
    struct chronicle *c = chronicle_new(&setup, now, &e);

    if (c == NULL) {
        (void)fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    for (uint64_t n = 0; n < events; n += BATCH) {
        struct arena a = {0};
        struct journal_msg m = {.type = JOURNAL_MSG_EVENTS,
                                .seq = n + 1,
                                .events = list,
                                .n = BATCH};
        int64_t at = (int64_t)((double)n / (double)events *
                               (double)(days * (DAY_MS - 1)));
        now.mono_ms += begin + at - now.wall_ms;
        now.wall_ms = begin + at;
        for (size_t i = 0; i < BATCH; i++)
            list[i] = make(&a, n + i, now.wall_ms);
        chronicle_take(c, &source, &m, now);
        if (n % (16 * BATCH) == 0)
            chronicle_commit(c, now);
        if (n % (1024 * BATCH) == 0)
            chronicle_tick(c, now);
        if (n / BATCH % (events / BATCH / 10 + 1) == 7)
            print_questions(&list[pick(BATCH)]);
        arena_fini(&a);
    }
    uint64_t lost = chronicle_lost(c);
    chronicle_free(c, now);
    if (lost > 0)
        (void)fprintf(stderr, "%" PRIu64 " events were lost\n", lost);
    return lost > 0;
}

int
main(int argc, char **argv)
{
    uint64_t events, days;

    if (argc != 4 || !str_to_u64(str_from(argv[2]), &events) ||
        !str_to_u64(str_from(argv[3]), &days) || days < 1) {
        (void)fprintf(stderr, "usage: history FOLDER EVENTS DAYS\n");
        return 2;
    }
    map_seed(1);
    return fill(argv[1], events, (int64_t)days);
}
