/* SPDX-License-Identifier: ISC */
/* Questions over the pipe, answered from an SQLite database. (PostgreSQL needs
 * a server: tests/system/test_list_databases.py.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/lookups.h"
#include "ipc/lookup.h"
#include "os/channel.h"

enum { ANSWERS_MAX = 2000 };

struct scene {
    char folder[48], path[64];
    struct loop *loop;
    struct lookups *lookups;
    struct channel *receive;
    size_t answers, wanted;
    struct lookup_msg got[ANSWERS_MAX]; /* by seq, the value in `remark` */
    char remark[64];
    bool ended;
};

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct scene *s = ctx;
    struct arena a = {0};
    struct lookup_msg m;

    assert_int_equal(fd, -1);
    assert_true(lookup_decode(&a, frame, &m));
    assert_int_equal(m.type, LOOKUP_ANSWER);
    assert_true(m.seq < ANSWERS_MAX && m.value.n < sizeof s->remark);
    if (m.value.n > 0)
        memcpy(s->remark, m.value.p, m.value.n);
    s->remark[m.value.n] = '\0';
    m.value = STR_EMPTY;
    s->got[m.seq] = m;
    if (++s->answers == s->wanted)
        loop_stop(s->loop);
    arena_fini(&a);
}

static void
on_end(void *ctx)
{
    struct scene *s = ctx;
    s->ended = true;
    loop_stop(s->loop);
}

static void
run_sql(const struct scene *s, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(s->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
configure(struct scene *s, const char *gate)
{
    struct buf text = {0};

    buf_addf(&text, "hostname = \"mx.example\"\ngate { %s }\n", gate);
    struct conf_result r = conf_parse(buf_str(&text), "test.conf");
    assert_non_null(r.conf);
    lookups_configure(s->lookups, r.conf);
    arena_fini(&r.arena);
    conf_free(r.conf);
    buf_fini(&text);
}

static int
open_scene(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    int fds[2];
    char gate[400];

    if (s == NULL)
        return -1;
    (void)snprintf(s->folder, sizeof s->folder, "/tmp/gatepost-tables-XXXXXX");
    if (mkdtemp(s->folder) == NULL)
        return -1;
    (void)snprintf(s->path, sizeof s->path, "%s/lists.db", s->folder);
    run_sql(s, "CREATE TABLE sender_deny (address TEXT PRIMARY KEY);"
               "INSERT INTO sender_deny VALUES ('bob@x.example'), "
               "('@y.example');"
               "CREATE TABLE users (mail TEXT, note TEXT);"
               "INSERT INTO users VALUES ('ann@x.example', 'the boss'), "
               "('cat@x.example', NULL);");
    s->loop = loop_new();
    s->lookups = lookups_new(s->loop);
    (void)snprintf(gate, sizeof gate,
                   "sender-deny = \"sqlite:%s\" validrcptto = \"sqlite:%s?"
                   "SELECT 1, note FROM users WHERE mail = ?\" "
                   "badmailfrom = \"sqlite:%s?SELECT 1\" "
                   "rcpthosts = \"sqlite:%s-missing\"",
                   s->path, s->path, s->path, s->path);
    configure(s, gate);
    if (!channel_pair(fds))
        return -1;
    lookups_attach(s->lookups, fds[0]);
    s->receive = channel_new(s->loop, fds[1], on_frame, on_end, s);
    *state = s;
    return 0;
}

static int
close_scene(void **state)
{
    struct scene *s = *state;
    channel_free(s->receive);
    lookups_free(s->lookups);
    loop_free(s->loop);
    (void)unlink(s->path);
    int rc = rmdir(s->folder);
    free(s);
    return rc;
}

static void
ask(struct scene *s, uint64_t seq, enum list_id list, struct str first,
    struct str second)
{
    const struct str keys[] = {first, second};
    struct buf b = {0};

    lookup_encode(&b, &(struct lookup_msg){.type = LOOKUP_ASK,
                                           .seq = seq,
                                           .list = list,
                                           .keys = keys,
                                           .n_keys = second.n > 0 ? 2 : 1});
    channel_send(s->receive, buf_str(&b));
    buf_fini(&b);
}

static void
await(struct scene *s, size_t n)
{
    s->wanted = s->answers + n;
    loop_run(s->loop);
    assert_false(s->ended);
    assert_int_equal(s->answers, s->wanted);
}

static void
answers(void **state)
{
    struct scene *s = *state;

    ask(s, 1, LIST_SENDER_DENY, STR("bob@x.example"), STR("@x.example"));
    ask(s, 2, LIST_SENDER_DENY, STR("bob@y.example"), STR("@y.example"));
    ask(s, 3, LIST_SENDER_DENY, STR("bob@z.example"), STR("@z.example"));
    ask(s, 4, LIST_SENDER_DENY, STR("'; DROP TABLE sender_deny; --"),
        STR_EMPTY);
    await(s, 4);
    assert_int_equal(s->got[1].found, LIST_YES);
    assert_int_equal(s->got[1].key, 0);
    assert_int_equal(s->got[2].found, LIST_YES);
    assert_int_equal(s->got[2].key, 1);
    assert_int_equal(s->got[3].found, LIST_NO);
    assert_int_equal(s->got[4].found, LIST_NO);

    ask(s, 5, LIST_VALIDRCPTTO, STR("ann@x.example"), STR_EMPTY);
    await(s, 1);
    assert_int_equal(s->got[5].found, LIST_YES);
    assert_string_equal(s->remark, "the boss");
    ask(s, 6, LIST_VALIDRCPTTO, STR("cat@x.example"), STR_EMPTY);
    await(s, 1);
    assert_int_equal(s->got[6].found, LIST_YES);
    assert_string_equal(s->remark, "");
}

static void
many(void **state)
{
    enum { QUESTIONS = 1500 };
    struct scene *s = *state;

    for (uint64_t i = 0; i < QUESTIONS; i++)
        ask(s, i, LIST_SENDER_DENY,
            i % 2 == 0 ? STR("bob@x.example") : STR("x@x.example"), STR_EMPTY);
    await(s, QUESTIONS);
    for (uint64_t i = 0; i < QUESTIONS; i++)
        assert_int_equal(s->got[i].found, i % 2 == 0 ? LIST_YES : LIST_NO);
}

/* A query without a parameter, a missing database, a list that is in none. */
static void
trouble(void **state)
{
    struct scene *s = *state;

    ask(s, 1, LIST_BADMAILFROM, STR("bob@x.example"), STR_EMPTY);
    ask(s, 2, LIST_RCPTHOSTS, STR("x.example"), STR_EMPTY);
    ask(s, 3, LIST_CLIENTS_REFUSED, STR("192.0.2.1"), STR_EMPTY);
    await(s, 3);
    for (size_t i = 1; i <= 3; i++)
        assert_int_equal(s->got[i].found, LIST_TROUBLE);

    // No question is forgotten when its list goes.
    ask(s, 4, LIST_SENDER_DENY, STR("bob@x.example"), STR_EMPTY);
    configure(s, "");
    await(s, 1);
    assert_int_equal(s->got[4].found, LIST_TROUBLE);
}

static void
asker_goes(void **state)
{
    struct scene *s = *state;
    int fds[2];

    ask(s, 1, LIST_SENDER_DENY, STR("bob@x.example"), STR_EMPTY);
    channel_send(s->receive, STR("nonsense"));
    s->wanted = ANSWERS_MAX;
    loop_run(s->loop);
    assert_true(s->ended);
    channel_free(s->receive);
    s->ended = false;
    assert_true(channel_pair(fds));
    lookups_attach(s->lookups, fds[0]);
    s->receive = channel_new(s->loop, fds[1], on_frame, on_end, s);
    ask(s, 2, LIST_SENDER_DENY, STR("bob@x.example"), STR_EMPTY);
    await(s, 1);
    assert_int_equal(s->got[2].found, LIST_YES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_scene, close_scene)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers),
        TEST(many),
        TEST(trouble),
        TEST(asker_goes),
    };
    return cmocka_run_group_tests_name("directory/lookups", tests, NULL, NULL);
}
