/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/channel.h"
#include "receive/login.h"

struct scene {
    struct loop *loop;
    struct login_desk *desk;
    struct channel *directory;
    size_t asked, want_answers, answers;
    enum login_result results[3];
    struct login_question *exchange;
    size_t begun, forgotten;
};

/* Plays directory: ann may in, others not; the third question kills it. */
static void
on_ask(void *ctx, struct str frame, int fd)
{
    struct scene *s = ctx;
    struct login_msg m, out = {.type = LOGIN_ANSWER, .account = STR_EMPTY};
    struct buf b = {0};
    assert_int_equal(fd, -1);
    assert_true(login_decode(frame, &m));
    assert_int_equal(m.type, LOGIN_ASK);
    if (++s->asked == 3) {
        channel_free(s->directory);
        s->directory = NULL;
        return;
    }
    out.seq = m.seq;
    if (str_eq(m.user, STR("ann")) && str_eq(m.password, STR("pw"))) {
        out.result = LOGIN_OK;
        out.account = STR("ann@x.example");
    }
    login_encode(&b, &out);
    channel_send(s->directory, buf_str(&b));
    buf_fini(&b);
}

static void
on_end(void *ctx)
{
    (void)ctx;
}

static void
on_answer(void *ctx, const struct login_msg *m)
{
    struct scene *s = ctx;
    if (m->type == LOGIN_CHALLENGE) {
        assert_true(str_eq(m->bytes, STR("r=1")));
        login_respond(s->exchange, STR("c=1"));
        return;
    }
    s->results[s->answers++] = m->result;
    if (m->result == LOGIN_OK)
        assert_true(str_eq(m->account, STR("ann@x.example")));
    if (s->answers == s->want_answers)
        loop_stop(s->loop);
}

static struct login_question *
ask(struct scene *s, struct str user, struct str password)
{
    return login_ask(s->desk,
                     &(struct login_msg){.type = LOGIN_ASK,
                                         .user = user,
                                         .password = password,
                                         .client = STR("192.0.2.1"),
                                         .session = STR("S")},
                     on_answer, s);
}

static void
answers(void **state)
{
    struct scene s = {.loop = loop_new()};
    int fds[2];
    (void)state;
    s.desk = login_desk_new(s.loop, NULL, NULL);
    assert_null(ask(&s, STR("ann"), STR("pw")));
    assert_true(channel_pair(fds));
    login_desk_attach(s.desk, fds[0]);
    s.directory = channel_new(s.loop, fds[1], on_ask, on_end, &s);

    s.want_answers = 2;
    assert_non_null(ask(&s, STR("ann"), STR("pw")));
    assert_non_null(ask(&s, STR("ann"), STR("pW")));
    loop_run(s.loop);
    assert_int_equal(s.results[0], LOGIN_OK);
    assert_int_equal(s.results[1], LOGIN_DENIED);

    s.want_answers = 3;
    login_cancel(ask(&s, STR("ann"), STR("pw")));
    assert_non_null(ask(&s, STR("ann"), STR("pw")));
    loop_run(s.loop);
    assert_int_equal(s.answers, 3);
    assert_int_equal(s.results[2], LOGIN_TROUBLE);
    assert_null(ask(&s, STR("ann"), STR("pw")));
    login_desk_free(s.desk);
    loop_free(s.loop);
}

/* Plays directory: one challenge, then whoever says the right thing is in. */
static void
on_exchange(void *ctx, struct str frame, int fd)
{
    struct scene *s = ctx;
    struct login_msg m, out = {.type = LOGIN_ANSWER};
    struct buf b = {0};
    assert_int_equal(fd, -1);
    assert_true(login_decode(frame, &m));
    out.seq = m.seq;
    if (m.type == LOGIN_FORGET) {
        s->forgotten++;
        loop_stop(s->loop);
        return;
    }
    if (m.type == LOGIN_START) {
        assert_true(m.plus && str_eq(m.exporter, STR("e")));
        s->begun++;
        out.type = LOGIN_CHALLENGE;
        out.bytes = STR("r=1");
    } else {
        assert_int_equal(m.type, LOGIN_RESPONSE);
        assert_true(str_eq(m.bytes, STR("c=1")));
        out.result = LOGIN_OK;
        out.account = STR("ann@x.example");
    }
    login_encode(&b, &out);
    channel_send(s->directory, buf_str(&b));
    buf_fini(&b);
}

static void
exchanges(void **state)
{
    const struct login_msg start = {.type = LOGIN_START,
                                    .plus = true,
                                    .exporter = STR("e"),
                                    .bytes = STR("p=")};
    struct scene s = {.loop = loop_new(), .want_answers = 1};
    int fds[2];
    (void)state;
    s.desk = login_desk_new(s.loop, NULL, NULL);
    assert_true(channel_pair(fds));
    login_desk_attach(s.desk, fds[0]);
    s.directory = channel_new(s.loop, fds[1], on_exchange, on_end, &s);
    s.exchange = login_ask(s.desk, &start, on_answer, &s);
    loop_run(s.loop);
    assert_int_equal(s.begun, 1);
    assert_int_equal(s.results[0], LOGIN_OK);

    // given up: directory is told, and its challenge comes to nobody
    login_cancel(login_ask(s.desk, &start, on_answer, &s));
    loop_run(s.loop);
    assert_int_equal(s.forgotten, 1);
    assert_int_equal(s.answers, 1);
    channel_free(s.directory);
    login_desk_free(s.desk);
    loop_free(s.loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(exchanges),
    };
    return cmocka_run_group_tests_name("receive/login", tests, NULL, NULL);
}
