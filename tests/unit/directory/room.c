/* SPDX-License-Identifier: ISC */
/* The whole process, with the test in the place of master, of a reader and of
 * the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "directory/directory.h"
#include "ipc/control.h"
#include "os/channel.h"
#include "os/conn.h"
#include "os/memfd.h"
#include "os/net.h"
#include "room/shelf.h"
#include "fixture.h"

struct stage {
    struct fixture *f;
    char state[64], database[96], bell[96];
    struct loop *loop;
    struct channel *master;
    struct shelf *shelf;
    struct conn *caller;
    struct buf heard; /* from the bell */
    pid_t child;
    enum control_type wanted, got;
};

static void
on_control(void *ctx, struct str frame, int fd)
{
    struct stage *s = ctx;
    struct control_msg m;

    assert_int_equal(fd, -1);
    assert_true(control_decode(frame, &m));
    s->got = m.type;
    if (m.type == s->wanted)
        loop_stop(s->loop);
}

static void
on_child_gone(void *ctx)
{
    struct stage *s = ctx;
    channel_free(s->master);
    s->master = NULL;
    loop_stop(s->loop);
}

static void
run(struct stage *s)
{
    fixture_run(s->loop, 20000);
}

static void
send_fd(struct stage *s, struct control_msg m, int fd)
{
    struct buf b = {0};
    control_encode(&b, &m);
    if (fd < 0)
        channel_send(s->master, buf_str(&b));
    else
        channel_send_fd(s->master, buf_str(&b), fd);
    if (fd >= 0)
        (void)close(fd);
    buf_fini(&b);
}

static int
config(const struct stage *s, const char *domain)
{
    struct buf b = {0};
    struct err e;
    buf_addf(&b,
             "hostname = \"mx.example.com\"\nstate = \"%s\"\nrun-as = caller\n"
             "listen \"mx\" { address = {\"127.0.0.1:2525\"} }\n"
             "domain \"%s\" { }\n",
             s->state, domain);
    int fd = memfd_sealed("config", buf_str(&b), &e);
    assert_true(fd >= 0);
    buf_fini(&b);
    return fd;
}

static void
start(struct stage *s)
{
    int control[2], conf = config(s, "a.example");

    assert_true(channel_pair(control));
    s->child = fork();
    assert_true(s->child >= 0);
    if (s->child == 0) {
        if (dup2(control[1], 13) != 13 || dup2(conf, 14) != 14 ||
            dup2(13, 3) != 3 || dup2(14, 4) != 4)
            _exit(99);
        _exit(directory_main(0, 1));
    }
    (void)close(control[1]);
    (void)close(conf);
    s->loop = loop_new();
    s->master = channel_new(s->loop, control[0], on_control, on_child_gone, s);
}

static void
open_stage(struct stage *s, struct fixture *f)
{
    struct err e;
    char folder[80];

    *s = (struct stage){.f = f};
    (void)snprintf(s->state, sizeof s->state, "%s/state", f->folder);
    (void)snprintf(folder, sizeof folder, "%s/directory", s->state);
    (void)snprintf(s->database, sizeof s->database, "%s/accounts.db", folder);
    (void)snprintf(s->bell, sizeof s->bell, "%s/bell", s->state);
    assert_int_equal(mkdir(s->state, 0700), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    accounts_close(f->a);
    f->a = accounts_open(s->database, &e);
    assert_non_null(f->a);
    start(s);
}

static int
wait_for_child(struct stage *s)
{
    int status = -1;
    assert_int_equal(waitpid(s->child, &status, 0), s->child);
    s->child = 0;
    return status;
}

static void
close_stage(struct stage *s)
{
    char command[128];

    if (s->child > 0) {
        (void)kill(s->child, SIGKILL);
        (void)wait_for_child(s);
    }
    channel_free(s->master);
    if (s->shelf != NULL)
        shelf_free(s->shelf);
    if (s->caller != NULL)
        conn_free(s->caller);
    loop_free(s->loop);
    buf_fini(&s->heard);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", s->state);
    assert_int_equal(system(command), 0);
}

static void
on_caller(void *ctx)
{
    struct stage *s = ctx;
    struct str in = conn_input(s->caller);

    buf_add(&s->heard, in);
    conn_consume(s->caller, in.n);
    if (conn_state(s->caller) != CONN_OPEN || str_ends(in, STR("\n")))
        loop_stop(s->loop);
}

/* One line over the bell, and its answer. */
static const char *
ring(struct stage *s, const char *line)
{
    struct err e;
    int fd = net_connect_unix(s->bell, &e);

    assert_true(fd >= 0);
    buf_clear(&s->heard);
    s->caller = conn_new(s->loop, fd, on_caller, s);
    conn_write(s->caller, str_from(line));
    run(s);
    conn_free(s->caller);
    s->caller = NULL;
    return buf_cstr(&s->heard);
}

static void
go(struct stage *s)
{
    struct err e;
    int book[2];

    assert_true(channel_pair(book));
    s->shelf = shelf_new(s->loop, NULL, NULL);
    shelf_attach(s->shelf, book[0]);
    send_fd(
        s, (struct control_msg){.type = CONTROL_LISTEN, .name = STR("control")},
        net_listen_unix(s->bell, 0600, &e));
    send_fd(s,
            (struct control_msg){.type = CONTROL_PEER,
                                 .pipe = PIPE_BOOK,
                                 .role = ROLE_QUEUE,
                                 .incarnation = 7},
            book[1]);
    send_fd(s, (struct control_msg){.type = CONTROL_GO}, -1);
    s->wanted = CONTROL_READY;
    run(s);
    assert_int_equal(s->got, CONTROL_READY);
}

static bool
knows(struct stage *s, const char *key)
{
    struct str value;
    return shelf_find(s->shelf, str_from(key), &value);
}

static void
a_life(void **state)
{
    struct stage s;
    struct err e;

    open_stage(&s, *state);
    go(&s);
    assert_string_equal(ring(&s, "{\"verb\":\"sync\"}\n"), "{\"ok\":true}\n");
    assert_true(knows(&s, "d:a.example"));
    assert_int_equal(
        accounts_user_add(s.f->a, STR("ann@a.example"), STR("h"), 1, &e),
        ACCOUNTS_DONE);
    assert_string_equal(ring(&s, "{\"verb\":\"sync\"}\n"), "{\"ok\":true}\n");
    assert_true(knows(&s, "a:ann@a.example"));

    send_fd(&s, (struct control_msg){.type = CONTROL_CONFIG},
            config(&s, "b.example"));
    s.wanted = CONTROL_RELOADED;
    run(&s);
    assert_int_equal(s.got, CONTROL_RELOADED);
    assert_string_equal(ring(&s, "{\"verb\":\"sync\"}\n"), "{\"ok\":true}\n");
    assert_false(knows(&s, "d:a.example"));
    assert_true(knows(&s, "d:b.example"));

    send_fd(&s, (struct control_msg){.type = CONTROL_STOP}, -1);
    run(&s);
    assert_null(s.master);
    assert_int_equal(wait_for_child(&s), 0);
    close_stage(&s);
}

static void
what_the_bell_refuses(void **state)
{
    static const char *const lines[] = {
        "{\"verb\":\"dance\"}\n",
        "{\"verb\":1}\n",
        "[]\n",
        "\n",
        "sync\n",
        "{}\n",
        "\xff\n",
    };
    struct stage s;
    struct buf lengthy = {0};

    open_stage(&s, *state);
    go(&s);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_non_null(strstr(ring(&s, lines[i]), "{\"ok\":false,"));
    for (size_t i = 0; i < 10000; i++)
        buf_add_char(&lengthy, 'x');
    assert_string_equal(ring(&s, buf_cstr(&lengthy)), ""); // hung up
    assert_string_equal(ring(&s, "{\"verb\":\"sync\"}\n"), "{\"ok\":true}\n");
    buf_fini(&lengthy);
    close_stage(&s);
}

/* Without its folder it does not start, and says so by its status. */
static void
no_database(void **state)
{
    struct stage s;

    open_stage(&s, *state);
    close_stage(&s); // takes the folder away
    start(&s);
    run(&s);
    assert_int_equal(WEXITSTATUS(wait_for_child(&s)), 1);
    close_stage(&s);
}

#define WITH_DATABASE(test)                                                    \
    cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(a_life),
        WITH_DATABASE(what_the_bell_refuses),
        WITH_DATABASE(no_database),
    };
    return cmocka_run_group_tests_name("directory/room", tests, NULL, NULL);
}
