/* SPDX-License-Identifier: ISC */
/* The control socket: what is asked and what is answered, with a spool in
 * memory behind it. */
#include "queue/desk.h"

#include "fakebook.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/log.h"
#include "os/net.h"
#include "spool/memory.h"

enum { MESSAGES = 3, MANY = 70 };

/* Made once: a desk is never taken down. */
static struct loop *loop;
static struct timer *limit;
static struct fakebook fake;
static struct memory_spool *spool;
static struct spool_door *door;
static struct spool_store *store;
static struct schedule *schedule;
static struct desk *desk;
static char folder[] = "/tmp/gatepost-desk-XXXXXX", path[64];
static struct msgid ids[MESSAGES];

static void
on_limit(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

static void
settle(void)
{
    timer_set(limit, loop_now(loop).mono_ms + 20);
    loop_run(loop);
}

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    (void)ctx;
    (void)id;
    assert_int_equal(result, SPOOL_OK);
}

static struct msgid
submit(const char *sender, const char *user, const char *to)
{
    struct recipient r = {.address = str_from(to)};
    struct envelope e = {.sender = str_from(sender),
                         .auth_user = str_from(user),
                         .rcpts = &r,
                         .n_rcpts = 1,
                         .arrived_ms = 1000};
    enum spool_result why;
    struct spool_message *m = spool_begin(door, &e, &why);

    assert_non_null(m);
    struct msgid id = spool_message_id(m);
    assert_true(spool_chunk(m, STR("Subject: x\r\n\r\nhello\r\n")));
    spool_commit(m, false, on_stored, NULL);
    spool_turn(door);
    return id;
}

static void
ignore_event(void *ctx, const struct schedule_event *e)
{
    (void)ctx;
    (void)e;
}

static int
open_desk(void **state)
{
    const struct schedule_hooks hooks = {.on_event = ignore_event};
    struct schedule_options o = {
        .retry = {1000, 4000, 1000000},
          .max_in_flight = 100
    };
    struct err e;
    (void)state;

    o.send = o.mailbox = (struct lanes_limits){1, 50, 50, 75};
    log_open("test", false, LOG_ERROR);
    loop = loop_new();
    limit = timer_new(loop, on_limit, NULL);
    fakebook_init(&fake);
    spool = memory_spool_new();
    door = memory_door_new(spool, NULL, NULL);
    store = memory_store_new(spool);
    schedule = schedule_new(store, &fake.book, &o, &hooks, 1);
    desk = desk_new(loop, store, schedule, NULL);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/queue", folder);
    int fd = net_listen_unix(path, 0600, &e);
    assert_true(fd >= 0);
    desk_listen(desk, fd);
    return 0;
}

static int
close_desk(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)rmdir(folder);
    schedule_free(schedule);
    spool_store_free(store);
    spool_door_free(door);
    memory_spool_free(spool);
    fakebook_fini(&fake);
    return 0;
}

static int
connect_desk(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void
say(int fd, struct str text)
{
    assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
    settle();
}

static void
describe(struct buf *out, struct str line)
{
    json_error_t why;
    json_t *j = json_loadb(line.p, line.n, 0, &why);

    if (json_object_get(j, "error") != NULL)
        buf_addf(out, "error: %s;",
                 json_string_value(json_object_get(j, "error")));
    else if (json_object_get(j, "done") != NULL)
        buf_addf(out, "done %d busy %d;",
                 (int)json_integer_value(json_object_get(j, "matched")),
                 (int)json_integer_value(json_object_get(j, "busy")));
    else
        buf_addf(out, "<%s>%s%s;",
                 json_string_value(json_object_get(j, "sender")),
                 json_object_get(j, "details") != NULL ? " in full" : "",
                 json_object_get(j, "busy") != NULL ? " busy" : "");
    json_decref(j);
}

/* What came, in words; "closed" when the desk hung up. */
static const char *
hear(int fd, struct buf *words)
{
    struct buf in = {0};
    struct str rest, line;
    ssize_t n;

    while ((n = read(fd, buf_reserve(&in, 65536), 65536)) > 0) {
        in.n += (size_t)n;
        settle();
    }
    buf_clear(words);
    rest = buf_str(&in);
    while (str_cut(rest, '\n', &line, &rest))
        describe(words, line);
    assert_int_equal(line.n, 0); // whole lines only
    if (n == 0)
        buf_add(words, STR("closed"));
    buf_fini(&in);
    return buf_cstr(words);
}

static const char *
ask(const char *request, struct buf *words)
{
    int fd = connect_desk();

    say(fd, str_from(request));
    (void)hear(fd, words);
    (void)close(fd);
    settle();
    return buf_cstr(words);
}

static void
fill_spool(void)
{
    ids[0] = submit("ann@example.org", "ann@example.org", "x@one.example");
    ids[1] = submit("team@example.org", "ann@example.org", "y@two.example");
    ids[2] = submit("", "", "z@two.example");
}

static void
empty_spool(void)
{
    struct buf words = {0};
    (void)ask("{\"verb\":\"remove\"}\n", &words);
    assert_int_equal(spool_count(store), 0);
    buf_fini(&words);
}

static void
questions(void **state)
{
    static const struct {
        const char *name, *request, *want;
    } cases[] = {
        {"all",                       "{\"verb\":\"list\"}\n",
         "<ann@example.org>;<team@example.org>;<>;done 3 busy 0;"                                                                              },
        {"a sender",                  "{\"verb\":\"list\",\"from\":\"Ann@example.org\"}\n",
         "<ann@example.org>;done 1 busy 0;"                                                                                                    },
        {"the null sender",           "{\"verb\":\"list\",\"from\":\"<>\"}\n",
         "<>;done 1 busy 0;"                                                                                                                   },
        {"who logged in",             "{\"verb\":\"list\",\"auth\":\"ann@example.org\"}\n",
         "<ann@example.org>;<team@example.org>;done 2 busy 0;"                                                                                 },
        {"a domain",                  "{\"verb\":\"show\",\"domain\":\"TWO.example\"}\n",
         "<team@example.org> in full;<> in full;done 2 busy 0;"                                                                                },
        {"none of it",                "{\"verb\":\"list\",\"to\":\"no@two.example\"}\n",
         "done 0 busy 0;"                                                                                                                      },
        {"no id",                     "{\"verb\":\"show\",\"id\":\"!\"}\n",                 "done 0 busy 0;"                                   },
        {"unknown id",                "{\"verb\":\"show\",\"id\":\"2b-9Xk\"}\n",
         "done 0 busy 0;"                                                                                                                      },
        {"two in one packet",
         "{\"verb\":\"list\",\"to\":\"x@one.example\"}\n{\"verb\":\"list\","
         "\"from\":\"<>\"}\n",                                                              "<ann@example.org>;done 1 busy 0;<>;done 1 busy 0;"},
        {"no JSON",                   "list\n",                                             "error: not a JSON object on one line;"            },
        {"no object",                 "[1]\n",
         "error: unknown verb, expected list, show, retry or remove;"                                                                          },
        {"another verb",              "{\"verb\":\"drop\"}\n",
         "error: unknown verb, expected list, show, retry or remove;"                                                                          },
        {"an error, then a question", "\n{\"verb\":\"list\",\"from\":\"<>\"}\n",
         "error: not a JSON object on one line;<>;done 1 busy 0;"                                                                              },
        {"half a line",               "{\"verb\":\"list\"}",                                ""                                                 },
    };
    struct buf words = {0};
    (void)state;

    fill_spool();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(ask(cases[i].request, &words), cases[i].want) != 0)
            fail_msg("%s: %s\nexpected %s", cases[i].name, buf_cstr(&words),
                     cases[i].want);
    empty_spool();
    buf_fini(&words);
}

static struct instant
at(int64_t wall_ms)
{
    return (struct instant){.wall_ms = wall_ms};
}

/* What a worker has in hand stays, the rest goes; the two are counted apart. */
static void
removing(void **state)
{
    struct buf words = {0};
    (void)state;

    fill_spool();
    while (schedule_fill(schedule, at(2000), 16) > 0)
        continue;
    struct sched_job *j = schedule_next(schedule, CARRIER_SEND, 0, at(2000));
    assert_non_null(j);
    assert_true(msgid_eq(j->message->id, ids[0]));
    assert_string_equal(
        ask("{\"verb\":\"remove\",\"auth\":\"ann@example.org\"}\n", &words),
        "<ann@example.org> busy;<team@example.org>;done 1 busy 1;");
    assert_int_equal(spool_count(store), 2);
    schedule_report(schedule, j, NULL, 0, at(2000)); // it comes back untried
    assert_string_equal(
        ask("{\"verb\":\"remove\",\"auth\":\"ann@example.org\"}\n", &words),
        "<ann@example.org>;done 1 busy 0;");
    assert_string_equal(ask("{\"verb\":\"list\"}\n", &words),
                        "<>;done 1 busy 0;");
    empty_spool();
    buf_fini(&words);
}

/* Due at once, held or not; only what was asked for. */
static void
retrying(void **state)
{
    struct buf words = {0};
    struct arena a = {0};
    struct spool_view v;
    int64_t later = loop_now(loop).wall_ms + 3600000;
    (void)state;

    fill_spool();
    for (size_t i = 0; i < MESSAGES; i++)
        assert_true(spool_reschedule(store, ids[i], later));
    assert_true(spool_hold(store, ids[1], STR("looked at")));
    assert_string_equal(
        ask("{\"verb\":\"retry\",\"auth\":\"ann@example.org\"}\n", &words),
        "<ann@example.org>;<team@example.org>;done 2 busy 0;");
    for (size_t i = 0; i < MESSAGES; i++) {
        assert_true(spool_show(store, ids[i], &a, &v));
        assert_false(v.held);
        if (i < 2)
            assert_true(v.rcpts[0].next_ms < later);
        else
            assert_int_equal(v.rcpts[0].next_ms, later);
    }
    arena_fini(&a);
    empty_spool();
    buf_fini(&words);
}

/* More than is looked at in one turn, and more than a client reads at once. */
static void
a_long_queue(void **state)
{
    enum { N = 2000 };
    struct buf words = {0};
    (void)state;

    for (int i = 0; i < N; i++)
        (void)submit("a@example.org", "", "x@one.example");
    int fd = connect_desk();
    say(fd, STR("{\"verb\":\"list\"}\n"));
    const char *all = hear(fd, &words);
    assert_int_equal(words.n, N * strlen("<a@example.org>;") +
                                  strlen("done 2000 busy 0;"));
    assert_non_null(strstr(all, "done 2000 busy 0;"));
    (void)close(fd);
    settle();

    /* Who goes in the middle of an answer takes nothing with them. */
    fd = connect_desk();
    say(fd, STR("{\"verb\":\"list\"}\n"));
    (void)close(fd);
    settle();
    empty_spool();
    buf_fini(&words);
}

static void
bad_clients(void **state)
{
    static char line[4098];
    struct buf words = {0};
    int fds[MANY];
    (void)state;

    memset(line, 'x', sizeof line);
    int fd = connect_desk();
    say(fd, str_from_n(line, 4096));
    assert_string_equal(hear(fd, &words), "");
    say(fd, str_from_n(line, 1));
    assert_string_equal(hear(fd, &words), "closed");
    (void)close(fd);

    /* Only so many at a time; the others can come when some have gone. */
    for (int i = 0; i < MANY; i++)
        fds[i] = connect_desk();
    settle();
    assert_string_equal(hear(fds[0], &words), "");
    assert_string_equal(hear(fds[MANY - 1], &words), "closed");
    for (int i = 0; i < MANY; i++)
        (void)close(fds[i]);
    settle();
    assert_string_equal(ask("{\"verb\":\"list\"}\n", &words), "done 0 busy 0;");
    buf_fini(&words);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions),   cmocka_unit_test(removing),
        cmocka_unit_test(retrying),    cmocka_unit_test(a_long_queue),
        cmocka_unit_test(bad_clients),
    };
    return cmocka_run_group_tests_name("queue/desk", tests, open_desk,
                                       close_desk);
}
