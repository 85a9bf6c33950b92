/* SPDX-License-Identifier: ISC */
/* Who is away, over a real channel, as notify asks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "directory/away.h"
#include "ipc/vacation.h"
#include "os/channel.h"
#include "fixture.h"

struct stage {
    struct loop *loop;
    struct away *away;
    struct channel *notify;
    size_t expected, answered;
    enum vacation_result results[64];
    struct buf text; /* of the last answer: subject|body|addresses */
};

static void
on_answer(void *ctx, struct str frame, int fd)
{
    struct stage *s = ctx;
    struct vacation_msg m;

    assert_int_equal(fd, -1);
    assert_true(vacation_decode(frame, &m));
    assert_int_equal(m.type, VACATION_ANSWER);
    assert_true(m.seq < 64);
    s->results[m.seq] = m.result;
    buf_clear(&s->text);
    buf_addf(&s->text, "%.*s|%.*s|%.*s", STR_ARG(m.subject), STR_ARG(m.body),
             STR_ARG(m.addresses));
    if (++s->answered == s->expected)
        loop_stop(s->loop);
}

static void
on_end(void *ctx)
{
    struct stage *s = ctx;
    channel_free(s->notify);
    s->notify = NULL;
    loop_stop(s->loop);
}

static void
ask_naming(struct stage *s, uint64_t seq, struct str account, struct str sender,
           struct str key, struct str named)
{
    struct buf b = {0};
    vacation_encode(&b, &(struct vacation_msg){.type = VACATION_ASK,
                                               .seq = seq,
                                               .account = account,
                                               .sender = sender,
                                               .key = key,
                                               .named = named});
    channel_send(s->notify, buf_str(&b));
    s->expected++;
    buf_fini(&b);
}

static void
ask(struct stage *s, uint64_t seq, struct str account, struct str sender,
    struct str key)
{
    ask_naming(s, seq, account, sender, key, account);
}

static void
open_stage(struct stage *s, struct fixture *f)
{
    int fds[2];
    struct accounts *own = accounts_open(f->path, &f->e);

    assert_non_null(own);
    *s = (struct stage){.loop = loop_new()};
    s->away = away_new(s->loop, own, NULL, NULL);
    assert_true(channel_pair(fds));
    away_attach(s->away, fds[0]);
    s->notify = channel_new(s->loop, fds[1], on_answer, on_end, s);
}

static void
close_stage(struct stage *s)
{
    channel_free(s->notify);
    fixture_run(s->loop, 50); // the other end notices
    loop_free(s->loop);
    away_free(s->away);
    buf_fini(&s->text);
}

static void
add_away(struct fixture *f, struct str address)
{
    const struct accounts_vacation v = {STR("Away"), STR("Soon.\n"), 1};
    assert_int_equal(accounts_user_add(f->a, address, STR("h"), 1, &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_vacation_set(f->a, address, &v, &f->e),
                     ACCOUNTS_DONE);
}

static void
once_a_week(void **state)
{
    struct fixture *f = *state;
    struct stage s;
    const struct str ann = STR("ann@a.example"), x = STR("x@far.example");

    add_away(f, ann);
    open_stage(&s, f);
    // all in one turn, so in one transaction: in order all the same
    ask(&s, 0, STR("bob@a.example"), x, STR("k0"));
    ask(&s, 1, ann, x, STR("k1"));
    ask(&s, 2, ann, x, STR("k2"));
    ask(&s, 3, ann, STR("y@far.example"), STR("k3"));
    ask(&s, 4, ann, x, STR("k1")); // notify died and asks again
    fixture_run(s.loop, 20000);
    assert_int_equal(s.answered, 5);
    assert_int_equal(s.results[0], VACATION_NOT_AWAY);
    assert_int_equal(s.results[1], VACATION_REPLY);
    assert_int_equal(s.results[2], VACATION_TOLD_ALREADY);
    assert_int_equal(s.results[3], VACATION_REPLY);
    assert_int_equal(s.results[4], VACATION_REPLY);
    close_stage(&s);
}

static void
all_addresses(void **state)
{
    struct fixture *f = *state;
    struct stage s;
    const struct str ann = STR("ann@a.example");

    add_away(f, ann);
    assert_int_equal(
        fixture_alias(f, "sales@a.example",
                      (const char *[]){"ann@a.example", "bob@a.example"}, 2),
        ACCOUNTS_DONE);
    assert_int_equal(
        fixture_alias(f, "all@a.example",
                      (const char *[]){"sales@a.example", "ann@a.example"}, 2),
        ACCOUNTS_DONE);
    assert_int_equal(
        fixture_alias(f, "@b.example", (const char *[]){"ann@a.example"}, 1),
        ACCOUNTS_DONE);
    assert_int_equal(
        fixture_alias(f, "bob@b.example", (const char *[]){"bob@a.example"}, 1),
        ACCOUNTS_DONE);
    open_stage(&s, f);
    ask(&s, 0, ann, STR("x@far.example"), STR("k"));
    fixture_run(s.loop, 20000);
    assert_string_equal(
        buf_cstr(&s.text),
        "Away|Soon.\n|ann@a.example\nall@a.example\nsales@a.example");
    close_stage(&s);
}

/* Only where the message names the account; else nothing is remembered. */
static void
named(void **state)
{
    static const struct {
        const char *named;
        enum vacation_result want;
    } cases[] = {
        {"",                                 VACATION_NOT_NAMED},
        {"x@far.example",                    VACATION_NOT_NAMED},
        {"bob@a.example\nann@a.example.org", VACATION_NOT_NAMED},
        {"who@b.example",                    VACATION_NOT_NAMED}, // by the catch-all
        {"bob@a.example\nann@a.example",     VACATION_REPLY    },
        {"ann+list@a.example\n",             VACATION_REPLY    },
        {"sales@a.example",                  VACATION_REPLY    },
        {"all+x@a.example",                  VACATION_REPLY    },
    };
    enum { N = sizeof cases / sizeof *cases };
    struct fixture *f = *state;
    struct stage s;
    struct buf sender = {0};

    add_away(f, STR("ann@a.example"));
    assert_int_equal(fixture_alias(f, "sales@a.example",
                                   (const char *[]){"ann@a.example"}, 1),
                     ACCOUNTS_DONE);
    assert_int_equal(fixture_alias(f, "all@a.example",
                                   (const char *[]){"sales@a.example"}, 1),
                     ACCOUNTS_DONE);
    assert_int_equal(
        fixture_alias(f, "@b.example", (const char *[]){"ann@a.example"}, 1),
        ACCOUNTS_DONE);
    open_stage(&s, f);
    for (size_t i = 0; i < N; i++) {
        buf_clear(&sender);
        buf_addf(&sender, "%zu@far.example", i);
        ask_naming(&s, i, STR("ann@a.example"), buf_str(&sender), STR("k"),
                   str_from(cases[i].named));
    }
    ask(&s, N, STR("ann@a.example"), STR("0@far.example"), STR("other"));
    fixture_run(s.loop, 20000);
    assert_int_equal(s.answered, N + 1);
    for (size_t i = 0; i < N; i++)
        if (s.results[i] != cases[i].want)
            fail_msg("%s: %d", cases[i].named, s.results[i]);
    assert_int_equal(s.results[N], VACATION_REPLY);
    buf_fini(&sender);
    close_stage(&s);
}

/* The database is locked for a while: the answer comes later, not wrong. */
static void
patience(void **state)
{
    struct fixture *f = *state;
    struct stage s;

    add_away(f, STR("ann@a.example"));
    open_stage(&s, f);
    assert_true(accounts_begin(f->a, &f->e));
    ask(&s, 0, STR("ann@a.example"), STR("x@far.example"), STR("k"));
    fixture_run(s.loop, 5500); // longer than the database waits for a lock
    assert_int_equal(s.answered, 0);
    accounts_abort(f->a);
    ask(&s, 1, STR("ann@a.example"), STR("y@far.example"), STR("l"));
    fixture_run(s.loop, 20000);
    assert_int_equal(s.answered, 2);
    assert_int_equal(s.results[0], VACATION_REPLY);
    assert_int_equal(s.results[1], VACATION_REPLY);
    close_stage(&s);
}

static void
garbage(void **state)
{
    struct stage s;

    open_stage(&s, *state);
    channel_send(s.notify, STR("\1garbage"));
    fixture_run(s.loop, 10000);
    assert_null(s.notify);
    close_stage(&s);
}

#define WITH_DATABASE(test)                                                    \
    cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(once_a_week), WITH_DATABASE(all_addresses),
        WITH_DATABASE(named),       WITH_DATABASE(patience),
        WITH_DATABASE(garbage),
    };
    return cmocka_run_group_tests_name("directory/away", tests, NULL, NULL);
}
