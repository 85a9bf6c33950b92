/* SPDX-License-Identifier: ISC */
/* Logins over a real channel, as receive asks them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "directory/identity.h"
#include "directory/logins.h"
#include "directory/password.h"
#include "ipc/login.h"
#include "os/channel.h"
#include "os/disk.h"
#include "scramclient.h"
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
    char details[512][64];
    int folder;
    struct buf challenge; /* the last */
};

static void
on_answer(void *ctx, struct str frame, int fd)
{
    struct stage *s = ctx;
    struct login_msg m;

    assert_true(login_decode(frame, &m));
    assert_int_equal(fd >= 0, m.type == LOGIN_LEDGER);
    if (fd >= 0) {
        (void)close(fd);
        return;
    }
    assert_true(m.seq < 512);
    if (m.type == LOGIN_CHALLENGE) {
        buf_clear(&s->challenge);
        buf_add(&s->challenge, m.bytes);
        loop_stop(s->loop);
        return;
    }
    assert_int_equal(m.type, LOGIN_ANSWER);
    s->results[m.seq] = m.result;
    (void)snprintf(s->accounts[m.seq], sizeof s->accounts[m.seq], "%.*s",
                   STR_ARG(m.account));
    (void)snprintf(s->details[m.seq], sizeof s->details[m.seq], "%.*s",
                   STR_ARG(m.detail));
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
add_plain(struct fixture *f, const char *address, const char *password,
          struct buf *hash)
{
    assert_true(password_hash(str_from(password), hash, &f->e));
    assert_int_equal(
        accounts_user_add(f->a, str_from(address), buf_str(hash), 1, &f->e),
        ACCOUNTS_DONE);
}

static void
add(struct fixture *f, const char *address, const char *password)
{
    struct buf hash = {0}, verifier = {0};
    unsigned char salt[SCRAM_SALT];

    add_plain(f, address, password, &hash);
    assert_true(identity_salt(f->a, str_from(address), salt, &f->e));
    assert_true(scram_verifier(str_from(password), salt, &verifier));
    assert_int_equal(accounts_user_set_scram(f->a, str_from(address),
                                             buf_str(&hash), buf_str(&verifier),
                                             &f->e),
                     ACCOUNTS_DONE);
    buf_fini(&hash);
    buf_fini(&verifier);
}

static void
set_state(struct fixture *f, const char *address, enum book_state state,
          const char *note)
{
    const struct book_account is = {.state = state, .note = str_from(note)};
    assert_int_equal(
        accounts_user_set_state(f->a, str_from(address), &is, &f->e),
        ACCOUNTS_DONE);
}

static void
open_stage(struct stage *s, struct fixture *f)
{
    const struct conf conf = {.domains = domains, .n_domains = 2};
    int fds[2];

    *s = (struct stage){.loop = loop_new()};
    hosting_init(&s->hosting, &conf);
    s->folder = os_open_dir(f->folder);
    assert_true(s->folder >= 0);
    s->logins =
        logins_new(s->loop, f->a, &s->hosting, f->path, s->folder, NULL, NULL);
    assert_true(channel_pair(fds));
    logins_attach(s->logins, fds[0]);
    s->receive = channel_new(s->loop, fds[1], on_answer, on_end, s);
}

static void
close_stage(struct stage *s)
{
    channel_free(s->receive);
    fixture_run(s->loop, 50); // the other end notices
    logins_save(s->logins);
    loop_free(s->loop);
    logins_free(s->logins);
    (void)close(s->folder);
    buf_fini(&s->challenge);
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
    fixture_run(s.loop, 60000);
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
    for (size_t i = 0; i < N; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "eve%zu@a.example", i);
        ask(&s, i, name, "x");
    }
    s.expected = N - BOUND; // those are answered at once
    fixture_run(s.loop, 60000);
    for (size_t i = 0; i < N; i++)
        trouble += s.results[i] == LOGIN_TROUBLE;
    assert_int_equal(trouble, N - BOUND);
    close_stage(&s);
}

static int64_t
mono_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* From the tenth on, by whatever name, and after a restart. */
static void
braked(void **state)
{
    struct fixture *f = *state;
    struct stage s;

    add(f, "ann@a.example", "apple");
    open_stage(&s, f);
    for (size_t i = 0; i < 9; i++)
        ask(&s, i, i % 2 == 0 ? "ann@a.example" : "Ann", "x");
    fixture_run(s.loop, 60000);
    assert_int_equal(s.answered, 9);
    close_stage(&s);

    open_stage(&s, f);
    ask(&s, 9, "ann", "apple");
    int64_t before = mono_ms();
    fixture_run(s.loop, 60000);
    assert_int_equal(s.results[9], LOGIN_OK); // slower, not locked
    assert_true(mono_ms() - before >= 990);
    close_stage(&s);
}

/* Whoever comes all at once is not checked all at once. */
static void
flood(void **state)
{
    enum { N = 40 };
    struct fixture *f = *state;
    struct stage s;
    size_t count[LOGIN_RESULTS] = {0};

    add(f, "ann@a.example", "apple");
    open_stage(&s, f);
    for (size_t i = 0; i < N; i++)
        ask(&s, i, "ann@a.example", "x");
    s.expected = N - 4; // 4 wait 1, 3, 7 and 15 seconds
    fixture_run(s.loop, 60000);
    for (size_t i = 0; i < N; i++)
        count[s.results[i]]++;
    assert_int_equal(count[LOGIN_BRAKED], N - 9 - 4);
    assert_int_equal(s.answered, N - 4);
    close_stage(&s);
}

/* Right a short while ago, and still so: no hash, and no brake. */
static void
remembered(void **state)
{
    struct fixture *f = *state;
    struct stage s;
    struct buf hash = {0};

    add(f, "ann@a.example", "apple");
    open_stage(&s, f);
    ask(&s, 0, "ann@a.example", "apple");
    fixture_run(s.loop, 60000);
    assert_int_equal(s.results[0], LOGIN_OK);
    for (size_t i = 1; i <= 40; i++)
        ask(&s, i, "ann@a.example", i % 2 == 0 ? "apple" : "x");
    s.expected = 1 + 20;
    fixture_run(s.loop,
                60000); // those that are right are answered first, and at once
    for (size_t i = 2; i <= 40; i += 2)
        assert_int_equal(s.results[i], LOGIN_OK);

    assert_true(password_hash(STR("other"), &hash, &f->e));
    assert_int_equal(
        accounts_user_passwd(f->a, STR("ann@a.example"), buf_str(&hash), &f->e),
        ACCOUNTS_DONE);
    s.expected = 100;
    ask(&s, 50, "ann@a.example", "apple");
    fixture_run(s.loop, 1000);
    assert_true(s.results[50] != LOGIN_OK);
    buf_fini(&hash);
    close_stage(&s);
}

/* Told only to who knows the password. */
static void
states(void **state)
{
    static const struct {
        const char *user, *password;
        enum login_result result;
        const char *account, *detail;
    } cases[] = {
        {"ann",           "apple",  LOGIN_SUSPENDED, "ann@a.example", "unpaid"},
        {"ann",           "wrong",  LOGIN_DENIED,    "",              ""      },
        {"bob@a.example", "banana", LOGIN_DISABLED,  "bob@a.example", ""      },
        {"bob@a.example", "wrong",  LOGIN_DENIED,    "",              ""      },
        {"kim",           "kiwi",   LOGIN_OK,        "kim@a.example", ""      },
        {"lou",           "lemon",  LOGIN_OK,        "lou@a.example", ""      },
 // remembered, and yet
        {"kim",           "kiwi",   LOGIN_SUSPENDED, "kim@a.example", "now"   },
    };
    enum { N = sizeof cases / sizeof *cases };
    struct fixture *f = *state;
    struct stage s;

    add(f, "ann@a.example", "apple");
    add(f, "bob@a.example", "banana");
    add(f, "kim@a.example", "kiwi");
    add(f, "lou@a.example", "lemon");
    set_state(f, "ann@a.example", BOOK_SUSPENDED, "unpaid");
    set_state(f, "bob@a.example", BOOK_DISABLED, "");
    set_state(f, "kim@a.example", BOOK_FULL, "");
    set_state(f, "lou@a.example", BOOK_MOVED, "x@y.example");
    open_stage(&s, f);
    for (size_t i = 0; i < N; i++) {
        if (i == N - 1)
            set_state(f, "kim@a.example", BOOK_SUSPENDED, "now");
        ask(&s, i, cases[i].user, cases[i].password);
        fixture_run(s.loop, 60000);
        assert_int_equal(s.results[i], cases[i].result);
        assert_string_equal(s.accounts[i], cases[i].account);
        assert_string_equal(s.details[i], cases[i].detail);
    }
    close_stage(&s);
}

/* ---- SCRAM --------------------------------------------------------------- */

static void
say(struct stage *s, const struct login_msg *m)
{
    struct buf b = {0};
    login_encode(&b, m);
    channel_send(s->receive, buf_str(&b));
    buf_fini(&b);
}

/* A whole exchange; the number of the answer. */
static enum login_result
scram(struct stage *s, uint64_t seq, const char *user, const char *password)
{
    struct scramclient c;
    struct buf out = {0};
    bool first = true;

    scramclient_init(&c, user, password);
    s->expected = s->answered + 1;
    while (s->answered < s->expected) {
        if (!scramclient_step(&c, buf_str(&s->challenge), &out))
            fail_msg("%s: the client is not content", user);
        say(s, &(struct login_msg){.type = first ? LOGIN_START : LOGIN_RESPONSE,
                                   .seq = seq,
                                   .client = STR("127.0.0.1"),
                                   .session = STR("S"),
                                   .bytes = buf_str(&out)});
        first = false;
        fixture_run(s->loop, 60000);
    }
    bool content = scramclient_content(&c);
    assert_int_equal(content, s->results[seq] == LOGIN_OK);
    buf_clear(&s->challenge);
    buf_fini(&out);
    scramclient_fini(&c);
    return s->results[seq];
}

static void
proofs(void **state)
{
    static const struct {
        const char *user, *password;
        enum login_result result;
        const char *account, *detail;
    } cases[] = {
        {"ann@a.example", "apple",  LOGIN_OK,        "ann@a.example", ""   },
        {"Ann",           "apple",  LOGIN_OK,        "ann@a.example", ""   },
        {"ann@a.example", "wrong",  LOGIN_DENIED,    "",              ""   },
        {"nob@a.example", "apple",  LOGIN_DENIED,    "",              ""   },
        {"bob@a.example", "banana", LOGIN_SUSPENDED, "bob@a.example", "why"},
        {"bob@a.example", "wrong",  LOGIN_DENIED,    "",              ""   },
    };
    struct fixture *f = *state;
    struct stage s;

    add(f, "ann@a.example", "apple");
    add(f, "bob@a.example", "banana");
    set_state(f, "bob@a.example", BOOK_SUSPENDED, "why");
    open_stage(&s, f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(scram(&s, i, cases[i].user, cases[i].password),
                         cases[i].result);
        assert_string_equal(s.accounts[i], cases[i].account);
        assert_string_equal(s.details[i], cases[i].detail);
    }
    // a new password without a verifier is no longer the old one
    assert_int_equal(
        accounts_user_passwd(f->a, STR("ann@a.example"), STR("$y$x"), &f->e),
        ACCOUNTS_DONE);
    assert_int_equal(scram(&s, 20, "ann@a.example", "apple"), LOGIN_DENIED);
    close_stage(&s);
}

/* Accounts from before there was SCRAM. */
static void
verifier_of_first_login(void **state)
{
    struct fixture *f = *state;
    struct stage s;
    struct buf hash = {0};

    add_plain(f, "ann@a.example", "apple", &hash);
    open_stage(&s, f);
    assert_int_equal(scram(&s, 0, "ann", "apple"), LOGIN_DENIED);
    ask(&s, 1, "ann", "wrong");
    fixture_run(s.loop, 60000);
    assert_int_equal(scram(&s, 2, "ann", "wrong"), LOGIN_DENIED);
    ask(&s, 3, "ann", "apple");
    fixture_run(s.loop, 60000);
    assert_int_equal(s.results[3], LOGIN_OK);
    assert_int_equal(scram(&s, 4, "ann", "apple"), LOGIN_OK);
    // never one for another password than that of the hash
    assert_int_equal(accounts_user_set_scram(f->a, STR("ann@a.example"),
                                             STR("$y$other"), STR("x"), &f->e),
                     ACCOUNTS_MISSING);
    buf_fini(&hash);
    close_stage(&s);
}

/* The salt of a name, as a stranger sees it. */
static void
salt_of(struct stage *s, const char *user, struct buf *salt)
{
    struct buf first = {0};

    buf_addf(&first, "n,,n=%s,r=abcdefgh", user);
    buf_clear(&s->challenge);
    say(s, &(struct login_msg){.type = LOGIN_START,
                               .seq = 1,
                               .client = STR("192.0.2.1"),
                               .bytes = buf_str(&first)});
    fixture_run(s->loop, 60000);
    say(s, &(struct login_msg){.type = LOGIN_FORGET, .seq = 1});
    ssize_t at = str_find(buf_str(&s->challenge), STR(",s="));
    assert_true(at > 0);
    buf_clear(salt);
    buf_add(salt, str_from_pos(buf_str(&s->challenge), (size_t)at));
    buf_clear(&s->challenge);
    buf_fini(&first);
}

static void
unknown_names_have_salts(void **state)
{
    static const char *const twins[][2] = {
        {"nob@a.example", "nob@a.example"},
        {"NOB@A.example", "nob@a.example"},
        {"ann",           "ann@a.example"},
        {"Nob",           "nob"          },
    };
    struct fixture *f = *state;
    struct stage s;
    struct buf one = {0}, other = {0}, third = {0};

    add(f, "ann@a.example", "apple");
    open_stage(&s, f);
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
        salt_of(&s, twins[i][0], &one);
        salt_of(&s, twins[i][1], &other);
        assert_true(str_eq(buf_str(&one), buf_str(&other)));
        assert_int_equal(one.n, 35); // s=, i= and the comma between
    }
    // a bare name is that of one of our domains, whether it exists or not
    salt_of(&s, "nob", &one);
    salt_of(&s, "nob@a.example", &other);
    salt_of(&s, "nob@b.example", &third);
    assert_false(str_eq(buf_str(&other), buf_str(&third)));
    assert_true(str_eq(buf_str(&one), buf_str(&other)) ||
                str_eq(buf_str(&one), buf_str(&third)));
    // … and stays what it is
    salt_of(&s, "ann", &one);
    close_stage(&s);
    open_stage(&s, f);
    salt_of(&s, "ann", &other);
    assert_true(str_eq(buf_str(&one), buf_str(&other)));
    buf_fini(&one);
    buf_fini(&other);
    buf_fini(&third);
    close_stage(&s);
}

static void
forgotten(void **state)
{
    struct fixture *f = *state;
    struct stage s;

    add(f, "ann@a.example", "apple");
    open_stage(&s, f);
    // out of turn, unknown, malformed: answered or not, nothing breaks
    say(&s, &(struct login_msg){.type = LOGIN_RESPONSE, .seq = 7});
    say(&s, &(struct login_msg){.type = LOGIN_FORGET, .seq = 7});
    s.expected = 1;
    say(&s, &(struct login_msg){.type = LOGIN_START, .seq = 8});
    fixture_run(s.loop, 10000);
    assert_int_equal(s.answered, 1);
    assert_int_equal(s.results[8], LOGIN_DENIED);
    // cut offers (RFC 5802, 6)
    s.expected = 2;
    say(&s, &(struct login_msg){.type = LOGIN_START,
                                .seq = 9,
                                .exporter = STR("x"),
                                .bytes = STR("y,,n=ann,r=abcdefgh")});
    fixture_run(s.loop, 10000);
    assert_int_equal(s.results[9], LOGIN_DENIED);
    // the pipe ends in the middle
    say(&s, &(struct login_msg){.type = LOGIN_START,
                                .seq = 10,
                                .bytes = STR("n,,n=ann,r=abcdefgh")});
    fixture_run(s.loop, 10000);
    assert_true(s.challenge.n > 0);
    assert_true(logins_idle(s.logins));
    close_stage(&s);
}

static void
garbage(void **state)
{
    struct stage s;

    open_stage(&s, *state);
    channel_send(s.receive, STR("\1garbage"));
    fixture_run(s.loop, 10000);
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
        WITH_DATABASE(flood),
        WITH_DATABASE(remembered),
        WITH_DATABASE(states),
        WITH_DATABASE(proofs),
        WITH_DATABASE(verifier_of_first_login),
        WITH_DATABASE(unknown_names_have_salts),
        WITH_DATABASE(forgotten),
        WITH_DATABASE(garbage),
    };
    return cmocka_run_group_tests_name("directory/logins", tests, NULL, NULL);
}
