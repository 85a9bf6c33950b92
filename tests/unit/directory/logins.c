/* SPDX-License-Identifier: ISC */
/* Logins over a real channel, as receive asks them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "directory/logins.h"
#include "directory/password.h"
#include "ipc/login.h"
#include "os/channel.h"
#include "fixture.h"

static struct conf_domain domains[] = {
    {{"a.example", 9}, {"maildir:/a/%{user}", 18}},
    {{"b.example", 9}, {"maildir:/b/%{user}", 18}},
};

struct stage {
    struct loop *loop;
    struct hosting hosting;
    struct logins *logins;
    struct channel *receive;
    size_t expected, answered;
    enum login_result results[512];
    char accounts[512][64];
};

static void
on_answer(void *ctx, struct str frame, int fd)
{
    struct stage *s = ctx;
    struct login_msg m;

    assert_int_equal(fd, -1);
    assert_true(login_decode(frame, &m));
    assert_int_equal(m.type, LOGIN_ANSWER);
    assert_true(m.seq < 512);
    s->results[m.seq] = m.result;
    (void)snprintf(s->accounts[m.seq], sizeof s->accounts[m.seq], "%.*s",
                   STR_ARG(m.account));
    if (++s->answered == s->expected)
        loop_stop(s->loop);
}

static void
on_end(void *ctx)
{
    struct stage *s = ctx;
    channel_free(s->receive);
    s->receive = NULL;
    loop_stop(s->loop);
}

static void
give_up(void *ctx)
{
    struct stage *s = ctx;
    loop_stop(s->loop);
}

static void
run(struct stage *s, int64_t limit_ms)
{
    struct timer *t = timer_new(s->loop, give_up, s);
    timer_set(t, loop_now(s->loop).mono_ms + limit_ms);
    loop_run(s->loop);
    timer_free(t);
}

static void
ask(struct stage *s, uint64_t seq, const char *user, const char *password)
{
    struct buf b = {0};
    login_encode(&b, &(struct login_msg){.type = LOGIN_ASK,
                                         .seq = seq,
                                         .user = str_from(user),
                                         .password = str_from(password),
                                         .client = STR("127.0.0.1"),
                                         .session = STR("S")});
    channel_send(s->receive, buf_str(&b));
    s->expected++;
    buf_fini(&b);
}

static void
add(struct fixture *f, const char *address, const char *password)
{
    struct buf hash = {0};
    assert_true(password_hash(str_from(password), &hash, &f->e));
    assert_int_equal(
        accounts_user_add(f->a, str_from(address), buf_str(&hash), 1, &f->e),
        ACCOUNTS_DONE);
    buf_fini(&hash);
}

static void
open_stage(struct stage *s, struct fixture *f)
{
    const struct conf conf = {.domains = domains, .n_domains = 2};
    int fds[2];

    *s = (struct stage){.loop = loop_new()};
    hosting_init(&s->hosting, &conf);
    s->logins = logins_new(s->loop, f->a, &s->hosting, NULL, NULL);
    assert_true(channel_pair(fds));
    logins_attach(s->logins, fds[0]);
    s->receive = channel_new(s->loop, fds[1], on_answer, on_end, s);
}

static void
close_stage(struct stage *s)
{
    channel_free(s->receive);
    run(s, 50); // the other end notices
    loop_free(s->loop);
    logins_free(s->logins);
    hosting_fini(&s->hosting);
}

static void
who_comes_in(void **state)
{
    static const struct {
        const char *user, *password, *account; /* NULL: denied */
    } cases[] = {
        {"ann@a.example",    "apple",      "ann@a.example"},
        {"ANN@A.Example",    "apple",      "ann@a.example"},
        {"ann",              "apple",      "ann@a.example"}, // the other is not hosted
        {"Ann",              "apple",      "ann@a.example"},
        {"ann@a.example",    "Apple",      NULL           },
        {"ann@a.example",    "",           NULL           },
        {"ann+x@a.example",  "apple",      NULL           },
        {"ann@gone.example", "avocado",    NULL           },
        {"bob@a.example",    "banana",     "bob@a.example"},
        {"bob@b.example",    "blueberry",  "bob@b.example"},
        {"bob",              "banana",     NULL           }, // not unique
        {"bob",              "blueberry",  NULL           },
        {"eve",              "elderberry", NULL           },
        {"eve@a.example",    "elderberry", NULL           },
        {"@a.example",       "x",          NULL           },
        {"",                 "",           NULL           },
        {"ann@a.example\nx", "apple",      NULL           },
    };
    enum { N = sizeof cases / sizeof *cases };
    struct fixture *f = *state;
    struct stage s;

    add(f, "ann@a.example", "apple");
    add(f, "ann@gone.example", "avocado");
    add(f, "bob@a.example", "banana");
    add(f, "bob@b.example", "blueberry");
    open_stage(&s, f);
    for (size_t i = 0; i < N; i++)
        ask(&s, i, cases[i].user, cases[i].password);
    run(&s, 60000);
    assert_int_equal(s.answered, N);
    for (size_t i = 0; i < N; i++) {
        const char *want = cases[i].account;
        if (s.results[i] != (want != NULL ? LOGIN_OK : LOGIN_DENIED) ||
            strcmp(s.accounts[i], want != NULL ? want : "") != 0)
            fail_msg("%s: %d %s", cases[i].user, s.results[i], s.accounts[i]);
    }
    close_stage(&s);
}

/* More at once than we check answers "later", not never. */
static void
overload(void **state)
{
    enum { N = 300, BOUND = 256 };
    struct fixture *f = *state;
    struct stage s;
    size_t trouble = 0;

    open_stage(&s, f);
    for (size_t i = 0; i < N; i++)
        ask(&s, i, "eve@a.example", "x");
    s.expected = N - BOUND; // those are answered at once
    run(&s, 60000);
    for (size_t i = 0; i < N; i++)
        trouble += s.results[i] == LOGIN_TROUBLE;
    assert_int_equal(trouble, N - BOUND);
    close_stage(&s);
}

static void
braked(void **state)
{
    struct fixture *f = *state;
    struct stage s;
    struct timespec before, after;

    add(f, "ann@a.example", "apple");
    open_stage(&s, f);
    for (size_t i = 0; i < 9; i++)
        ask(&s, i, "ann@a.example", "x");
    run(&s, 60000);
    assert_int_equal(s.answered, 9);
    ask(&s, 9, "ann@a.example", "apple");
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    run(&s, 60000);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    assert_int_equal(s.results[9], LOGIN_OK); // slower, not locked
    assert_true((after.tv_sec - before.tv_sec) * 1000 +
                    (after.tv_nsec - before.tv_nsec) / 1000000 >=
                990);
    close_stage(&s);
}

static void
garbage(void **state)
{
    struct stage s;

    open_stage(&s, *state);
    channel_send(s.receive, STR("\1garbage"));
    run(&s, 10000);
    assert_null(s.receive); // that connection ended, the process did not
    close_stage(&s);
}

#define WITH_DATABASE(test)                                                    \
    cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(who_comes_in),
        WITH_DATABASE(overload),
        WITH_DATABASE(braked),
        WITH_DATABASE(garbage),
    };
    return cmocka_run_group_tests_name("directory/logins", tests, NULL, NULL);
}
