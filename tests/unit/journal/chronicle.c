/* SPDX-License-Identifier: ISC */
/* What is told, kept and found again, on a real disk. */
#include "journal/chronicle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "journal/calendar.h"
#include "journal/history.h"
#include "journal/sql.h"
#include "os/disk.h"
#include "os/folder.h"

#define DAY ((int64_t)CALENDAR_DAY_MS)
#define NOON (20781 * DAY + DAY / 2) /* of 2026-11-24 */

static char folder[64];
static const struct chronicle_source receive = {
    .incarnation = 7, .room = {"receive", 7},
         .slot = 1
};
static struct instant clock_now;
static struct chronicle *chronicle;
static uint64_t next; /* number of the next event */

/* Work of other threads is done at once. */
static void
submit(void *ctx, enum lane lane, struct task *task)
{
    (void)ctx;
    (void)lane;
    task->run(task);
    task->done(task);
}

static void
begin(void)
{
    struct err e;
    struct chronicle_setup s = {.disk = os_disk(),
                                .executor = {.submit = submit},
                                .folder = str_from(folder),
                                .retention_ms = 30 * DAY};
    chronicle = chronicle_new(&s, clock_now, &e);
    assert_non_null(chronicle);
}

static int
set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/gatepost-journal-XXXXXX");
    assert_non_null(mkdtemp(folder));
    clock_now = (struct instant){.wall_ms = NOON, .mono_ms = 100000};
    next = 1;
    begin();
    return 0;
}

static void
remove_one(void *ctx, const char *name)
{
    const struct disk *d = os_disk();
    (void)d->unlink(d->self, *(int *)ctx, name);
}

static int
tear_down(void **state)
{
    const struct disk *d = os_disk();
    int dir = os_open_dir(folder);
    (void)state;
    chronicle_free(chronicle, clock_now);
    (void)d->list(d->self, dir, remove_one, &dir);
    (void)d->close(d->self, dir);
    (void)rmdir(folder);
    return 0;
}

static void
pass(int64_t ms)
{
    clock_now.wall_ms += ms;
    clock_now.mono_ms += ms;
}

static void
tell(struct journal_event *events, size_t n)
{
    struct journal_msg m = {
        .type = JOURNAL_MSG_EVENTS, .seq = next, .events = events, .n = n};
    for (size_t i = 0; i < n; i++) {
        if (events[i].at_ms == 0)
            events[i].at_ms = clock_now.wall_ms;
        if (events[i].count == 0)
            events[i].count = 1;
    }
    chronicle_take(chronicle, &receive, &m, clock_now);
    next += n;
}

/* What was found, in words. */
static struct buf found;

static bool
on_found(void *ctx, const struct history_event *h)
{
    int *limit = ctx;
    const struct journal_event *e = &h->e;
    if (e->kind == JOURNAL_DROPPED)
        buf_addf(&found, "gap %u %.*s;", e->count, STR_ARG(e->detail));
    else
        buf_addf(&found, "%s %.*s%.*s x%u;", journal_kind_name(e->kind),
                 STR_ARG(e->incident), STR_ARG(e->message), e->count);
    return limit == NULL || --*limit > 0;
}

static const char *
find(const struct history_query *q, int *limit)
{
    struct err e;
    struct history *h = history_open(folder, &e);
    assert_non_null(h);
    buf_clear(&found);
    history_find(h, q, on_found, limit);
    assert_int_equal(history_problems(h).n, 0);
    history_close(h);
    return buf_cstr(&found);
}

static const char *
gaps(void)
{
    struct err e;
    struct history *h = history_open(folder, &e);
    buf_clear(&found);
    history_gaps(h, 0, 0, on_found, NULL);
    history_close(h);
    return buf_cstr(&found);
}

static struct journal_event
refusal(const char *incident, const char *sender, const char *recipient)
{
    return (struct journal_event){.kind = JOURNAL_REFUSED,
                                  .session = STR("SSSSS-SSSSS"),
                                  .incident = str_from(incident),
                                  .client = STR("192.0.2.1"),
                                  .user = STR("bob@b.example"),
                                  .sender = str_from(sender),
                                  .recipient = str_from(recipient),
                                  .reason = STR("relay-denied"),
                                  .rule = STR("relay")};
}

static const char *
path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static bool
file_exists(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void
by_each_filter(void **state)
{
    struct journal_event events[] = {
        refusal("I1", "Ann@A.example", "x@far.example"),
        refusal("I2", "<>", "y@b.example"),
        {.kind = JOURNAL_ACCEPTED,
                                     .message = STR("2b-9Xk"),
                                     .sender = STR("carol@c.example"),
                                     .recipient = STR("d@d.example\ne@E.example"),
                                     .client = STR("2001:db8::1")},
        {.kind = JOURNAL_BOUNCED,
                                     .message = STR("2b-9Xk"),
                                     .related = STR("3-1"),
                                     .recipient = STR("carol@c.example")                       },
        {.kind = JOURNAL_DELIVERED,
                                     .message = STR("2b-9Xl"),
                                     .recipient = STR("f@d.example"),
                                     .alias = STR("all@g.example")             },
    };
    static const struct {
        const char *name;
        struct history_query q;
        const char *want;
    } cases[] = {
        {"incident",        {.id = {"I1", 2}},                         "refused I1 x1;"      },
        {"other case",      {.id = {"i1", 2}},                         ""                    },
        {"unknown",         {.id = {"I3", 2}},                         ""                    },
        {"session",
         {.id = {"SSSSS-SSSSS", 11}},
         "refused I2 x1;refused I1 x1;"                                                      },
        {"message",
         {.id = {"2b-9Xk", 6}},
         "bounced 2b-9Xk x1;accepted 2b-9Xk x1;"                                             },
        {"its bounce",      {.id = {"3-1", 3}},                        "bounced 2b-9Xk x1;"  },
        {"sender",          {.sender = {"ann@a.example", 13}},         "refused I1 x1;"      },
        {"null sender",     {.sender = {"<>", 2}},                     "refused I2 x1;"      },
        {"a recipient",
         {.recipient = {"E@e.example", 11}},
         "accepted 2b-9Xk x1;"                                                               },
        {"alias",           {.recipient = {"all@g.example", 13}},      "delivered 2b-9Xl x1;"},
        {"domain",
         {.domain = {"d.example", 9}},
         "delivered 2b-9Xl x1;accepted 2b-9Xk x1;"                                           },
        {"sender's domain", {.domain = {"A.EXAMPLE", 9}},              "refused I1 x1;"      },
        {"client",          {.client = {"2001:db8::1", 11}},           "accepted 2b-9Xk x1;" },
        {"user",
         {.user = {"bob@b.example", 13}},
         "refused I2 x1;refused I1 x1;"                                                      },
        {"reason",
         {.reason = {"relay-denied", 12}},
         "refused I2 x1;refused I1 x1;"                                                      },
        {"two words",
         {.reason = {"relay-denied", 12}, .domain = {"b.example", 9}},
         "refused I2 x1;"                                                                    },
        {"both never",
         {.reason = {"relay-denied", 12}, .domain = {"d.example", 9}},
         ""                                                                                  },
        {"until before",    {.id = {"I1", 2}, .until_ms = NOON - 1},   ""                    },
        {"since behind",    {.id = {"I1", 2}, .since_ms = NOON + 1},   ""                    },
        {"at",
         {.id = {"I1", 2}, .since_ms = NOON, .until_ms = NOON},
         "refused I1 x1;"                                                                    },
        {"all by time",
         {.since_ms = NOON + 0, .until_ms = NOON},
         "delivered 2b-9Xl x1;bounced 2b-9Xk x1;accepted 2b-9Xk x1;"
         "refused I2 x1;refused I1 x1;"                                                      },
    };
    (void)state;

    tell(events, sizeof events / sizeof *events);
    chronicle_commit(chronicle, clock_now);
    for (int sealed = 0; sealed < 2; sealed++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const char *got = find(&cases[i].q, NULL);
            if (strcmp(got, cases[i].want) != 0)
                fail_msg("%s: found %s, expected %s", cases[i].name, got,
                         cases[i].want);
        }
        pass(DAY); // it is put in order, and nothing changes
        chronicle_tick(chronicle, clock_now);
    }
}

static void
repeats(void **state)
{
    struct journal_event first[] = {
        refusal("I1", "a@a.example", "x@b.example"),
        {.kind = JOURNAL_REPEATED, .incident = STR("I1"), .count = 5}
    };
    struct journal_event later[] = {
        {.kind = JOURNAL_REPEATED, .incident = STR("I1"), .count = 100},
        {.kind = JOURNAL_REPEATED, .incident = STR("I9"), .count = 1  }
    };
    (void)state;

    tell(first, 2);
    chronicle_commit(chronicle, clock_now);
    assert_string_equal(find(&(struct history_query){.id = STR("I1")}, NULL),
                        "refused I1 x6;");
    pass(1000);
    tell(later, 2);
    chronicle_commit(chronicle, clock_now);
    assert_string_equal(find(&(struct history_query){.id = STR("I1")}, NULL),
                        "refused I1 x106;");
    assert_string_equal(gaps(), "");
}

/* The next journal is told again what the last one had written. */
static void
told_twice_kept_once(void **state)
{
    struct journal_event events[] = {
        refusal("I1", "", ""), refusal("I2", "", ""), refusal("I3", "", "")};
    (void)state;

    tell(events, 2);
    chronicle_commit(chronicle, clock_now);
    assert_int_equal(chronicle_confirmed(chronicle, 7), 3);
    chronicle_free(chronicle, clock_now);
    begin();
    next = 1;
    tell(events, 3);
    chronicle_commit(chronicle, clock_now);
    assert_int_equal(chronicle_confirmed(chronicle, 7), 4);
    assert_string_equal(
        find(&(struct history_query){.reason = STR("relay-denied")}, NULL),
        "refused I3 x1;refused I2 x1;refused I1 x1;");
}

/* The open block is there again after a kill, and what is taken back is not. */
static void
the_open_block_survives(void **state)
{
    struct journal_event events[] = {
        refusal("I1", "a@a.example", ""), refusal("I2", "b@b.example", ""),
        refusal("I3", "c@c.example", ""), refusal("I4", "d@d.example", "")};
    const struct history_query all = {.reason = STR("relay-denied")};
    (void)state;

    tell(events, 1);
    chronicle_commit(chronicle, clock_now);
    tell(events + 1, 1); // a disk that fills takes this back
    chronicle_configure(chronicle, 30 * DAY, UINT64_MAX);
    pass(1500);
    tell(events + 2, 1);
    chronicle_configure(chronicle, 30 * DAY, 0);
    pass(1500);
    chronicle_commit(chronicle, clock_now);
    chronicle_free(chronicle, clock_now);
    begin();
    tell(events + 3, 1);
    chronicle_commit(chronicle, clock_now);
    assert_string_equal(find(&all, NULL),
                        "refused I4 x1;refused I2 x1;refused I1 x1;");
    assert_string_equal(
        find(&(struct history_query){.sender = STR("A@A.example")}, NULL),
        "refused I1 x1;");
    pass(DAY);
    chronicle_tick(chronicle, clock_now);
    assert_string_equal(find(&all, NULL),
                        "refused I4 x1;refused I2 x1;refused I1 x1;");
}

/* Each day is put in order, not only the first. */
static void
every_day_is_put_in_order(void **state)
{
    (void)state;

    for (int i = 0; i < 3; i++) {
        struct journal_event e = refusal("I1", "a@a.example", "");
        tell(&e, 1);
        chronicle_commit(chronicle, clock_now);
        pass(DAY);
        chronicle_tick(chronicle, clock_now);
        assert_int_equal(file_exists("2026-11-24.db-wal"), false);
        assert_int_equal(file_exists("2026-11-25.db-wal"), i == 0);
        assert_int_equal(file_exists("2026-11-26.db-wal"), i == 1);
        assert_int_equal(file_exists("2026-11-24.db-filter"), true);
        assert_int_equal(file_exists("2026-11-25.db-filter"), i >= 1);
    }
}

/* The clock goes back: what comes then is found, too, and the day is put in
 * order again. */
static void
back_into_a_day_in_order(void **state)
{
    struct journal_event first = refusal("I1", "a@a.example", ""),
                         later = refusal("I2", "b@b.example", ""),
                         gap = {.kind = JOURNAL_DROPPED,
                                .count = 3,
                                .detail = STR("late")};
    const struct history_query q = {.sender = STR("b@b.example")};
    (void)state;

    tell(&first, 1);
    pass(DAY);
    chronicle_tick(chronicle, clock_now);
    assert_string_equal(find(&q, NULL), "");
    assert_string_equal(gaps(), "");
    chronicle_free(chronicle, clock_now);
    pass(-DAY);
    begin();
    tell(&later, 1);
    tell(&gap, 1);
    chronicle_commit(chronicle, clock_now);
    assert_string_equal(find(&q, NULL), "refused I2 x1;");
    pass(DAY);
    chronicle_tick(chronicle, clock_now);
    assert_string_equal(find(&q, NULL), "refused I2 x1;");
    assert_string_equal(gaps(), "gap 3 late;");
    assert_string_equal(find(&(struct history_query){.id = STR("I1")}, NULL),
                        "refused I1 x1;");
}

/* What was read stays so until history_pause(). */
static void
one_moment(void **state)
{
    const struct history_query all = {.reason = STR("relay-denied")};
    struct journal_event events[] = {refusal("I1", "", ""),
                                     refusal("I2", "", "")};
    struct err e;
    (void)state;

    tell(events, 1);
    chronicle_commit(chronicle, clock_now);
    struct history *h = history_open(folder, &e);
    assert_non_null(h);
    for (int i = 0; i < 3; i++) {
        buf_clear(&found);
        history_find(h, &all, on_found, NULL);
        assert_string_equal(buf_cstr(&found), i < 2
                                                  ? "refused I1 x1;"
                                                  : "refused I2 x1;refused I1 "
                                                    "x1;");
        if (i == 0)
            tell(events + 1, 1);
        chronicle_commit(chronicle, clock_now);
        if (i == 1)
            history_pause(h);
    }
    history_close(h);
}

/* The hash in the file is short: another word's event is not given. */
static void
like_another(void **state)
{
    struct journal_event e = refusal("I1", "a@a.example", "");
    struct err why;
    bool damaged;
    (void)state;

    tell(&e, 1);
    chronicle_commit(chronicle, clock_now);
    sqlite3 *db = sql_open(path_of("2026-11-24.db"), SQLITE_OPEN_READWRITE,
                           &why, &damaged);
    assert_non_null(db);
    assert_true(sql_run(db, "UPDATE event SET sender = 'b@b.example'", &why));
    sql_close(db);
    assert_string_equal(
        find(&(struct history_query){.sender = STR("a@a.example")}, NULL), "");
    assert_string_equal(find(&(struct history_query){.id = STR("I1")}, NULL),
                        "refused I1 x1;");
}

/* More than a block, and the newest first over its borders. */
static void
many(void **state)
{
    enum { N = 20000 };
    struct history_query q = {.domain = STR("rare.example")};
    struct buf want = {0};
    int limit = 3;
    (void)state;

    for (unsigned i = 0; i < N; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "I%u", i);
        struct journal_event e = refusal(
            name, "a@a.example", i % 5000 == 1 ? "x@rare.example" : "y@b.c");
        e.at_ms = NOON - N + i;
        tell(&e, 1);
    }
    chronicle_commit(chronicle, clock_now);
    assert_string_equal(
        find(&q, NULL),
        "refused I15001 x1;refused I10001 x1;refused I5001 x1;refused I1 x1;");
    q.reason = STR("relay-denied");
    assert_string_equal(
        find(&q, &limit),
        "refused I15001 x1;refused I10001 x1;refused I5001 x1;");
    q = (struct history_query){.sender = STR("a@a.example"),
                               .until_ms = NOON - N + 9000};
    limit = 2;
    assert_string_equal(find(&q, &limit), "refused I9000 x1;refused I8999 x1;");
    buf_fini(&want);
}

static void
old_days_go(void **state)
{
    struct journal_event old = refusal("I1", "", ""),
                         young = refusal("I2", "", "");
    struct history_query q = {.reason = STR("relay-denied")};
    (void)state;

    tell(&old, 1);
    pass(DAY);
    tell(&young, 1);
    chronicle_commit(chronicle, clock_now);
    chronicle_tick(chronicle, clock_now);
    assert_string_equal(find(&q, NULL), "refused I2 x1;refused I1 x1;");
    pass(29 * DAY);
    chronicle_tick(chronicle, clock_now);
    assert_string_equal(find(&q, NULL), "refused I2 x1;refused I1 x1;");
    pass(DAY / 2 + 1); // its day ended 30 days ago
    chronicle_tick(chronicle, clock_now);
    assert_string_equal(find(&q, NULL), "refused I2 x1;");
}

/* No room: counted, and said as soon as there is some. */
static void
no_room(void **state)
{
    struct journal_event events[] = {
        refusal("I1", "", ""), refusal("I2", "", ""), refusal("I3", "", "")};
    (void)state;

    chronicle_configure(chronicle, 30 * DAY, UINT64_MAX);
    tell(events, 2);
    chronicle_commit(chronicle, clock_now);
    assert_int_equal(chronicle_lost(chronicle), 2);
    assert_int_equal(chronicle_confirmed(chronicle, 7), 3);
    assert_true(chronicle_owes(chronicle));
    assert_string_equal(gaps(), "");
    pass(1500);
    chronicle_configure(chronicle, 30 * DAY, 0);
    tell(&events[2], 1);
    chronicle_commit(chronicle, clock_now);
    assert_false(chronicle_owes(chronicle));
    assert_non_null(strstr(gaps(), "gap 2 less than"));
    assert_string_equal(
        find(&(struct history_query){.reason = STR("relay-denied")}, NULL),
        "refused I3 x1;");
}

static void
change_tables(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path_of("2026-11-24.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
}

/* What was taken and could not be committed, repeats as often as they were. */
static void
failed_commit(void **state)
{
    struct journal_event events[] = {
        refusal("I1", "", ""),
        {.kind = JOURNAL_REPEATED, .incident = STR("I1"), .count = 5}
    };
    struct journal_event after = refusal("I2", "", "");
    (void)state;

    change_tables("ALTER TABLE source RENAME TO elsewhere");
    tell(events, 2);
    assert_int_equal(chronicle_pending(chronicle), 6);
    chronicle_commit(chronicle, clock_now);
    assert_int_equal(chronicle_lost(chronicle), 6);
    assert_int_equal(chronicle_pending(chronicle), 0);
    assert_int_equal(chronicle_confirmed(chronicle, 7), 3);
    change_tables("ALTER TABLE elsewhere RENAME TO source");
    pass(1500);
    tell(&after, 1);
    chronicle_commit(chronicle, clock_now);
    assert_non_null(strstr(gaps(), "gap 6 "));
    assert_non_null(strstr(gaps(), "source"));
    assert_string_equal(
        find(&(struct history_query){.reason = STR("relay-denied")}, NULL),
        "refused I2 x1;");
}

/* A room that dropped some says so. */
static void
gap_of_a_room(void **state)
{
    struct journal_event e = {.kind = JOURNAL_DROPPED,
                              .at_ms = NOON - 1000,
                              .until_ms = NOON,
                              .count = 12,
                              .detail = STR("the journal was behind")};
    (void)state;

    tell(&e, 1);
    chronicle_commit(chronicle, clock_now);
    assert_string_equal(gaps(), "gap 12 the journal was behind;");
}

static void
write_garbage(const char *name)
{
    static char text[8192];
    struct err e;

    memset(text, 'x', sizeof text);
    assert_true(
        file_write(path_of(name), str_from_n(text, sizeof text), 0600, &e));
}

/* A Gatepost whose tables were others. */
static void
another_layout(void **state)
{
    struct journal_event e = refusal("I1", "", "");
    struct err why;
    bool damaged;
    (void)state;

    chronicle_free(chronicle, clock_now);
    sqlite3 *db = sql_open(path_of("2026-11-24.db"), SQLITE_OPEN_READWRITE,
                           &why, &damaged);
    assert_non_null(db);
    assert_true(sql_run(db, "PRAGMA user_version = 1", &why));
    sql_close(db);
    begin();
    tell(&e, 1);
    chronicle_commit(chronicle, clock_now);
    assert_string_equal(find(&(struct history_query){.id = STR("I1")}, NULL),
                        "refused I1 x1;");
    assert_non_null(strstr(gaps(), "gap 0 2026-11-24.db-damaged-"));
}

static void
damaged_files(void **state)
{
    struct journal_event e = refusal("I1", "", "");
    struct err why;
    (void)state;

    chronicle_free(chronicle, clock_now);
    write_garbage("2026-11-24.db");
    begin();
    tell(&e, 1);
    chronicle_commit(chronicle, clock_now);
    assert_string_equal(find(&(struct history_query){.id = STR("I1")}, NULL),
                        "refused I1 x1;");
    const char *lost = gaps();
    assert_non_null(strstr(lost, "gap 0 2026-11-24.db-damaged-"));

    /* Who reads passes one over, and says so. */
    write_garbage("2026-11-20.db");
    struct history *h = history_open(folder, &why);
    buf_clear(&found);
    history_find(h, &(struct history_query){.reason = STR("relay-denied")},
                 on_found, NULL);
    assert_string_equal(buf_cstr(&found), "refused I1 x1;");
    assert_non_null(strstr(history_problems(h).p, "2026-11-20.db"));
    history_close(h);
}

static void
nothing_there(void **state)
{
    struct err e;
    struct history *h = history_open("/tmp/gatepost-no-such-folder", &e);
    (void)state;

    assert_non_null(h);
    assert_true(history_is_empty(h));
    history_close(h);
    assert_null(history_open("/dev/null", &e));
}

static void
calendar(void **state)
{
    static const struct {
        const char *name;
        bool is;
        int64_t day;
    } cases[] = {
        {"1970-01-01.db",     true,  0    },
        {"2000-02-29.db",     true,  11016},
        {"2026-11-24.db",     true,  20781},
        {"2026-02-29.db",     false, 0    },
        {"2026-13-01.db",     false, 0    },
        {"2026-11-31.db",     false, 0    },
        {"2026-11-24.db-wal", false, 0    },
        {"2026-11-24",        false, 0    },
        {"26-11-24.db",       false, 0    },
        {"",                  false, 0    },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t day = -1;
        bool is = calendar_is_file(str_from(cases[i].name), &day);
        if (is != cases[i].is || (is && day != cases[i].day))
            fail_msg("%s: %d, day %lld", cases[i].name, is, (long long)day);
        if (!is)
            continue;
        struct buf b = {0};
        calendar_add_name(&b, day);
        assert_string_equal(buf_cstr(&b), cases[i].name);
        buf_fini(&b);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(by_each_filter),
        TEST(repeats),
        TEST(told_twice_kept_once),
        TEST(many),
        TEST(old_days_go),
        TEST(no_room),
        TEST(failed_commit),
        TEST(gap_of_a_room),
        TEST(damaged_files),
        TEST(nothing_there),
        TEST(another_layout),
        TEST(the_open_block_survives),
        TEST(like_another),
        TEST(every_day_is_put_in_order),
        TEST(back_into_a_day_in_order),
        TEST(one_moment),
        cmocka_unit_test(calendar),
    };
    int failed =
        cmocka_run_group_tests_name("journal/chronicle", tests, NULL, NULL);
    buf_fini(&found);
    return failed;
}
