/* SPDX-License-Identifier: ISC */
/* Snapshots, changes and lists as directory sends them, and what a room then
 * finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "ipc/bookpipe.h"
#include "ipc/lookup.h"
#include "os/channel.h"
#include "os/constdb.h"
#include "room/shelf.h"

struct scene {
    struct loop *loop;
    struct shelf *shelf;
    struct channel *directory;
    uint64_t acknowledged, awaited;
    bool ended;
};

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct scene *s = ctx;
    struct book_msg m;

    assert_int_equal(fd, -1);
    assert_true(book_msg_decode(frame, &m));
    assert_int_equal(m.type, BOOK_ACK);
    s->acknowledged = m.version;
    if (m.version >= s->awaited)
        loop_stop(s->loop);
}

static void
on_end(void *ctx)
{
    struct scene *s = ctx;
    s->ended = true;
    loop_stop(s->loop);
}

static void
open_scene(struct scene *s)
{
    *s = (struct scene){.loop = loop_new()};
    s->shelf = shelf_new(s->loop, NULL, NULL);
}

static void
join(struct scene *s)
{
    int fds[2];
    assert_true(channel_pair(fds));
    channel_free(s->directory);
    s->directory = channel_new(s->loop, fds[1], on_frame, on_end, s);
    shelf_attach(s->shelf, fds[0]);
}

static void
close_scene(struct scene *s)
{
    channel_free(s->directory);
    shelf_free(s->shelf);
    loop_free(s->loop);
}

/* A database that says so of that key. */
static int
database(struct str key, struct str value)
{
    FILE *f = tmpfile();
    struct err e;

    assert_non_null(f);
    struct constdb_maker *m = constdb_make(fileno(f), &e);
    assert_non_null(m);
    assert_true(constdb_add(m, key, value, &e));
    assert_true(constdb_finish(m, &e));
    int fd = dup(fileno(f));
    (void)fclose(f);
    return fd;
}

/* Takes fd. */
static void
say(struct scene *s, enum book_type type, uint64_t version, struct str key,
    int fd)
{
    struct buf b = {0};

    book_msg_encode(&b, &(struct book_msg){.type = type,
                                           .version = version,
                                           .key = key,
                                           .value = STR("changed")});
    if (fd < 0)
        channel_send(s->directory, buf_str(&b));
    else
        channel_send_fd(s->directory, buf_str(&b), fd);
    if (fd >= 0)
        (void)close(fd);
    buf_fini(&b);
}

static void
until(struct scene *s, uint64_t version)
{
    s->awaited = version;
    loop_run(s->loop);
}

static void
expect_lists(struct scene *s)
{
    struct conf_result r =
        conf_parse(STR("hostname = \"mx.example\"\n"
                       "gate { badmailfrom = \"file:/etc/bad\"\n"
                       "       rcpthosts = \"file:/etc/hosts\"\n"
                       "       validrcptto = \"postgres:dbname=x\" }\n"),
                   "test.conf");
    assert_non_null(r.conf);
    shelf_expect_lists(s->shelf, r.conf);
    arena_fini(&r.arena);
    conf_free(r.conf);
}

static void
assert_listed(const struct scene *s, enum list_id list, struct str key,
              enum list_found expected, struct str remark)
{
    struct str found;

    assert_int_equal(shelf_list_find(s->shelf, list, key, &found), expected);
    assert_true(str_eq(found, remark));
}

static void
lists(void **state)
{
    struct scene s;
    enum list_id id = LIST_BADMAILFROM;
    struct str bad = STR("badmailfrom"), none = STR_EMPTY;
    (void)state;

    open_scene(&s);
    assert_true(shelf_lists_known(s.shelf));
    assert_listed(&s, id, STR("@x"), LIST_NO, none);
    expect_lists(&s);
    join(&s);
    assert_false(shelf_lists_known(s.shelf));
    assert_listed(&s, id, STR("@x"), LIST_TROUBLE, none);
    assert_listed(&s, LIST_VALIDRCPTTO, STR("@x"), LIST_ASK, none);
    assert_listed(&s, LIST_SENDER_DENY, STR("@x"), LIST_NO, none);

    // Lists may come before the book, and their versions count with its own.
    say(&s, BOOK_LIST, 2, bad, database(STR("@x"), STR("junk")));
    say(&s, BOOK_LIST, 3, STR("rcpthosts"), -1);
    say(&s, BOOK_SNAPSHOT, 1, none, database(STR("d:x"), STR("v")));
    until(&s, 3);
    assert_int_equal(s.acknowledged, 3);
    assert_true(shelf_ready(s.shelf));
    assert_listed(&s, id, STR("@x"), LIST_YES, STR("junk"));
    assert_listed(&s, id, STR("@y"), LIST_NO, none);
    assert_true(shelf_lists_known(s.shelf));
    assert_listed(&s, LIST_RCPTHOSTS, STR("x"), LIST_TROUBLE, none);

    // Exchanged; one that became unreadable stays.
    say(&s, BOOK_LIST, 4, bad, database(STR("@y"), none));
    say(&s, BOOK_LIST, 5, bad, -1);
    until(&s, 5);
    assert_listed(&s, id, STR("@x"), LIST_NO, none);
    assert_listed(&s, id, STR("@y"), LIST_YES, none);

    // Another directory process: what was known stays until it says else.
    join(&s);
    assert_listed(&s, id, STR("@y"), LIST_YES, none);
    say(&s, BOOK_SNAPSHOT, 1, none, database(STR("d:x"), STR("v")));
    until(&s, 1);
    assert_listed(&s, id, STR("@y"), LIST_YES, none);
    close_scene(&s);
}

static void
changes(void **state)
{
    struct scene s;
    struct str value;
    (void)state;

    open_scene(&s);
    join(&s);
    say(&s, BOOK_SNAPSHOT, 1, STR_EMPTY, database(STR("d:x"), STR("v")));
    say(&s, BOOK_CHANGE, 2, STR("d:y"), -1);
    until(&s, 2);
    assert_true(shelf_find(s.shelf, STR("d:x"), &value));
    assert_true(shelf_find(s.shelf, STR("d:y"), &value));
    assert_true(str_eq(value, STR("changed")));
    close_scene(&s);
}

/* A room that has no use for a list takes it and forgets it. */
static void
lists_of_others(void **state)
{
    struct scene s;
    (void)state;

    open_scene(&s);
    join(&s);
    say(&s, BOOK_SNAPSHOT, 1, STR_EMPTY, database(STR("d:x"), STR("v")));
    say(&s, BOOK_LIST, 2, STR("badmailfrom"), database(STR("@x"), STR("")));
    until(&s, 2);
    assert_listed(&s, LIST_BADMAILFROM, STR("@x"), LIST_NO, STR_EMPTY);
    close_scene(&s);
}

/* What is no database, and a list that there is none, end the pipe. */
static void
nonsense(void **state)
{
    struct scene s;
    FILE *f = tmpfile();
    (void)state;

    assert_non_null(f);
    open_scene(&s);
    join(&s);
    expect_lists(&s);
    say(&s, BOOK_LIST, 2, STR("badmailfrom"), dup(fileno(f)));
    loop_run(s.loop);
    assert_true(s.ended);
    assert_listed(&s, LIST_BADMAILFROM, STR("x"), LIST_TROUBLE, STR_EMPTY);

    s.ended = false;
    join(&s);
    say(&s, BOOK_LIST, 2, STR("goodmailfrom"), -1);
    loop_run(s.loop);
    assert_true(s.ended);

    s.ended = false;
    join(&s);
    channel_send(s.directory, STR("\5\0\0\0\0\0\0\0\0"));
    loop_run(s.loop);
    assert_true(s.ended);
    (void)fclose(f);
    close_scene(&s);
}

/* ---- questions --------------------------------------------------------- */

struct asking {
    struct scene scene;
    struct channel *desk;
    size_t asked, answers, want_answers;
    enum list_found found[4];
};

/* Plays directory: the second key is on the list; the third question is too
 * much for it. */
static void
on_question(void *ctx, struct str frame, int fd)
{
    struct asking *s = ctx;
    struct arena a = {0};
    struct lookup_msg m, out = {.type = LOOKUP_ANSWER, .value = STR_EMPTY};
    struct buf b = {0};

    assert_int_equal(fd, -1);
    assert_true(lookup_decode(&a, frame, &m));
    assert_int_equal(m.type, LOOKUP_ASK);
    assert_int_equal(m.list, LIST_VALIDRCPTTO);
    assert_int_equal(m.n_keys, 2);
    if (++s->asked == 3) {
        channel_free(s->desk);
        s->desk = NULL;
    } else {
        out.seq = m.seq;
        if (str_eq(m.keys[1], STR("@x.example"))) {
            out.found = LIST_YES;
            out.key = 1;
            out.value = STR("remark");
        }
        lookup_encode(&b, &out);
        channel_send(s->desk, buf_str(&b));
    }
    buf_fini(&b);
    arena_fini(&a);
}

static void
on_desk_end(void *ctx)
{
    struct asking *s = ctx;
    channel_free(s->desk);
    s->desk = NULL;
    loop_stop(s->scene.loop);
}

static void
on_answer(void *ctx, enum list_found found, struct str key, struct str value)
{
    struct asking *s = ctx;

    assert_true(str_eq(key, found == LIST_YES ? STR("@x.example") : STR_EMPTY));
    assert_true(str_eq(value, found == LIST_YES ? STR("remark") : STR_EMPTY));
    s->found[s->answers++] = found;
    if (s->answers == s->want_answers)
        loop_stop(s->scene.loop);
}

static struct shelf_question *
ask(struct asking *s, struct str key)
{
    struct str keys[] = {STR("bob@x.example"), key};
    return shelf_list_ask(s->scene.shelf, LIST_VALIDRCPTTO, keys, 2, on_answer,
                          s);
}

static void
join_desk(struct asking *s)
{
    int fds[2];
    assert_true(channel_pair(fds));
    shelf_attach_lookups(s->scene.shelf, fds[0]);
    s->desk = channel_new(s->scene.loop, fds[1], on_question, on_desk_end, s);
}

static void
questions(void **state)
{
    struct asking s = {.want_answers = 2};
    (void)state;

    open_scene(&s.scene);
    assert_null(ask(&s, STR("k"))); // directory is away
    join_desk(&s);
    assert_non_null(ask(&s, STR("@x.example")));
    assert_non_null(ask(&s, STR("@y.example")));
    loop_run(s.scene.loop);
    assert_int_equal(s.found[0], LIST_YES);
    assert_int_equal(s.found[1], LIST_NO);

    // The third kills it, so two get no other answer; the last is cancelled.
    s.want_answers = 4;
    assert_non_null(ask(&s, STR("k")));
    assert_non_null(ask(&s, STR("k")));
    shelf_list_cancel(ask(&s, STR("k")));
    loop_run(s.scene.loop);
    assert_int_equal(s.answers, 4);
    assert_int_equal(s.found[2], LIST_TROUBLE);
    assert_int_equal(s.found[3], LIST_TROUBLE);
    assert_null(ask(&s, STR("k")));
    close_scene(&s.scene);
}

/* An answer that names a key that was not asked for ends the pipe. */
static void
wrong_answer(void **state)
{
    struct asking s = {.want_answers = 1};
    struct buf b = {0};
    (void)state;

    open_scene(&s.scene);
    join_desk(&s);
    assert_non_null(ask(&s, STR("k")));
    lookup_encode(&b, &(struct lookup_msg){.type = LOOKUP_ANSWER,
                                           .seq = 1,
                                           .found = LIST_YES,
                                           .key = 2,
                                           .value = STR_EMPTY});
    channel_send(s.desk, buf_str(&b));
    loop_run(s.scene.loop);
    assert_int_equal(s.found[0], LIST_TROUBLE);
    assert_null(ask(&s, STR("k")));
    channel_free(s.desk);
    close_scene(&s.scene);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),           cmocka_unit_test(changes),
        cmocka_unit_test(lists_of_others), cmocka_unit_test(nonsense),
        cmocka_unit_test(questions),       cmocka_unit_test(wrong_answer),
    };
    return cmocka_run_group_tests_name("room/shelf", tests, NULL, NULL);
}
