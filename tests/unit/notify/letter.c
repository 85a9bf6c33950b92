/* SPDX-License-Identifier: ISC */
#include "notify/letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mail/header.h"
#include "os/memfd.h"
#include "spool/memory.h"

static const struct instant now = {1795499263123, 1000};
static const unsigned char random_key[16] = "0123456789abcde";
static const char original[] = "Message-ID: <m@far.example>\r\n"
                               "To: ann@acme.example\r\n"
                               "Subject: Hello\r\n\r\nBody\r\n";

/* A desk on a spool in memory, and what it said. */
struct world {
    struct memory_spool *spool;
    struct spool_door *door;
    struct spool_store *store;
    struct desk desk;
    char declined[200];
    struct arena asked_arena;
    struct vacation_msg asked;
    unsigned n_asked, n_idle;
};

static void
on_decline(void *ctx, const struct notice_msg *m, const char *why)
{
    struct world *w = ctx;
    assert_true(m->key.n > 0);
    (void)snprintf(w->declined, sizeof w->declined, "%s", why);
}

static bool
on_ask(void *ctx, const struct vacation_msg *ask)
{
    struct world *w = ctx;
    struct buf b = {0};
    vacation_encode(&b, ask);
    assert_true(
        vacation_decode(arena_dup(&w->asked_arena, buf_str(&b)), &w->asked));
    buf_fini(&b);
    w->n_asked++;
    return true;
}

static void
on_idle(void *ctx)
{
    struct world *w = ctx;
    w->n_idle++;
}

static void
on_ready(void *ctx)
{
    struct world *w = ctx;
    desk_again(&w->desk, now);
}

static int
setup(void **state)
{
    static struct world w;
    w = (struct world){.spool = memory_spool_new()};
    w.door = memory_door_new(w.spool, on_ready, &w);
    w.store = memory_store_new(w.spool);
    w.desk = (struct desk){
        .hostname = STR("mx1.acme.example"),
        .random = random_key,
        .door = w.door,
        .ops = {on_decline, on_ask, on_idle, &w},
    };
    *state = &w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    desk_fini(&w->desk);
    spool_door_free(w->door);
    spool_store_free(w->store);
    memory_spool_free(w->spool);
    arena_fini(&w->asked_arena);
    return 0;
}

static int
open_original(void)
{
    struct err e;
    int fd = memfd_sealed("original", str_from(original), &e);
    assert_true(fd >= 0);
    return fd;
}

static bool
owe(struct world *w, unsigned kind, const char *key, const char *sender)
{
    struct notice_rcpt rcpt = {
        .address = STR("Ann@acme.example"),
        .final = STR("ann@acme.example"),
        .verdict = {.outcome = OUTCOME_REFUSED,
                    .code = 553,
                    .text = STR("553 sorry, no mailbox here by that name")},
    };
    struct buf b = {0};
    notice_encode(&b, &(struct notice_msg){
                          .type = NOTICE_MSG_OWED,
                          .key = str_from(key),
                          .kind = kind,
                          .original = {1, 2},
                          .envelope = {.sender = str_from(sender)},
                          .rcpts = &rcpt,
                          .n_rcpts = 1,
    });
    bool taken = desk_take(&w->desk, buf_str(&b), open_original(), now);
    buf_fini(&b);
    return taken;
}

static void
answer(struct world *w, uint64_t seq, enum vacation_result result)
{
    struct buf b = {0};
    vacation_encode(&b, &(struct vacation_msg){
                            .type = VACATION_ANSWER,
                            .seq = seq,
                            .result = result,
                            .subject = STR("On vacation"),
                            .body = STR("Back on Monday.\n"),
                        });
    assert_true(desk_answer(&w->desk, buf_str(&b), now));
    buf_fini(&b);
}

/* The next message in the spool; its content in `content`. false: none. */
static bool
next_message(struct world *w, struct arena *a, struct spool_claim *claim,
             struct buf *content)
{
    struct err e;
    spool_turn(w->door);
    spool_store_turn(w->store, now);
    if (!spool_claim(w->store, now, a, claim))
        return false;
    buf_clear(content);
    assert_true(spool_read(w->store, &claim->at, content, &e));
    return true;
}

static void
a_bounce(void **state)
{
    struct world *w = *state;
    struct arena a = {0};
    struct buf content = {0};
    struct spool_claim claim;
    struct str v;

    assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.0", "Sender@far.example"));
    assert_true(next_message(w, &a, &claim, &content));
    assert_int_equal(claim.envelope.sender.n, 0);
    assert_true(str_eq(claim.envelope.notice, STR("1-2.b.0")));
    assert_int_equal(claim.n_rcpts, 1);
    assert_true(str_eq(claim.rcpts[0].address, STR("Sender@far.example")));
    assert_true(header_find(buf_str(&content), STR("subject"), &v));
    assert_true(str_eq(v, STR("Mail delivery failed (553): Hello")));
    assert_true(header_find(buf_str(&content), STR("message-id"), &v));
    assert_true(str_ends(v, STR(".bounce@mx1.acme.example>")));
    assert_true(str_find(buf_str(&content), str_from(original)) > 0);
    assert_true(desk_idle(&w->desk));
    assert_int_equal(w->n_idle, 1);
    assert_false(next_message(w, &a, &claim, &content));
    arena_fini(&a);
    buf_fini(&content);
}

static void
no_bounce_for_a_bounce(void **state)
{
    struct world *w = *state;
    assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.0", ""));
    assert_non_null(strstr(w->declined, "sender is empty"));
    assert_true(desk_idle(&w->desk));
}

static void
an_autoreply(void **state)
{
    struct world *w = *state;
    struct arena a = {0};
    struct buf content = {0};
    struct spool_claim claim;
    struct str v;

    assert_true(owe(w, NOTICE_AUTOREPLY, "1-2.a.0", "Bob@Far.example"));
    assert_int_equal(w->n_asked, 1);
    assert_true(str_eq(w->asked.account, STR("ann@acme.example")));
    assert_true(str_eq(w->asked.sender, STR("bob@far.example")));
    assert_true(str_eq(w->asked.key, STR("1-2.a.0")));
    assert_true(str_eq(w->asked.named, STR("ann@acme.example")));
    assert_false(next_message(w, &a, &claim, &content));

    answer(w, w->asked.seq + 1, VACATION_REPLY); // of somebody else
    assert_false(next_message(w, &a, &claim, &content));
    answer(w, w->asked.seq, VACATION_REPLY);
    assert_true(next_message(w, &a, &claim, &content));
    assert_int_equal(claim.envelope.sender.n, 0);
    assert_true(str_eq(claim.envelope.notice, STR("1-2.a.0")));
    assert_true(str_eq(claim.rcpts[0].address, STR("Bob@Far.example")));
    assert_true(header_find(buf_str(&content), STR("from"), &v));
    assert_true(str_eq(v, STR("ann@acme.example")));
    assert_true(header_find(buf_str(&content), STR("in-reply-to"), &v));
    assert_true(str_eq(v, STR("<m@far.example>")));
    assert_true(desk_idle(&w->desk));
    arena_fini(&a);
    buf_fini(&content);
}

static void
no_autoreply(void **state)
{
    struct world *w = *state;
    assert_true(owe(w, NOTICE_AUTOREPLY, "1-2.a.0", "noreply@far.example"));
    assert_int_equal(w->n_asked, 0);
    assert_non_null(strstr(w->declined, "nobody reads"));

    static const struct {
        enum vacation_result result;
        const char *why;
    } cases[] = {
        {VACATION_NOT_AWAY,     "not on vacation"},
        {VACATION_TOLD_ALREADY, "7 days"         },
        {VACATION_NOT_NAMED,    "To or Cc"       },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(owe(w, NOTICE_AUTOREPLY, "1-2.a.0", "bob@far.example"));
        answer(w, w->asked.seq, cases[i].result);
        assert_non_null(strstr(w->declined, cases[i].why));
        assert_true(desk_idle(&w->desk));
    }
}

static void
one_debt_is_one_letter(void **state)
{
    struct world *w = *state;
    struct arena a = {0};
    struct buf content = {0};
    struct spool_claim claim;

    for (int i = 0; i < 3; i++)
        assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.0", "s@far.example"));
    assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.1", "s@far.example"));
    assert_true(next_message(w, &a, &claim, &content));
    assert_true(next_message(w, &a, &claim, &content));
    assert_false(next_message(w, &a, &claim, &content));
    arena_fini(&a);
    buf_fini(&content);
}

static void
no_room_then_room(void **state)
{
    struct world *w = *state;
    struct arena a = {0};
    struct buf content = {0};
    struct spool_claim claim;

    memory_spool_fail(w->spool, SPOOL_FULL, SPOOL_OK);
    assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.0", "s@far.example"));
    assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.1", "s@far.example"));
    assert_true(w->desk.stuck);
    assert_false(next_message(w, &a, &claim, &content));

    memory_spool_fail(w->spool, SPOOL_OK, SPOOL_TROUBLE);
    desk_again(&w->desk, now);
    assert_false(next_message(w, &a, &claim, &content));
    assert_false(desk_idle(&w->desk));
    assert_true(w->desk.stuck);

    memory_spool_fail(w->spool, SPOOL_OK, SPOOL_OK);
    desk_again(&w->desk, now);
    assert_true(next_message(w, &a, &claim, &content));
    assert_true(next_message(w, &a, &claim, &content));
    assert_true(desk_idle(&w->desk));
    arena_fini(&a);
    buf_fini(&content);
}

static void
parked(void **state)
{
    struct world *w = *state;
    struct arena a = {0};
    struct buf content = {0};
    struct spool_claim claim;

    memory_spool_park(w->spool, true);
    assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.0", "s@far.example"));
    assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.1", "s@far.example"));
    assert_false(next_message(w, &a, &claim, &content));
    memory_spool_park(w->spool, false);
    assert_true(next_message(w, &a, &claim, &content));
    assert_true(str_find(buf_str(&content), str_from(original)) > 0);
    assert_true(str_ends(buf_str(&content), STR("--\r\n")));
    assert_true(next_message(w, &a, &claim, &content));
    arena_fini(&a);
    buf_fini(&content);
}

/* What the old queue's spool has not taken, the new one says again. */
static void
the_queue_goes(void **state)
{
    struct world *w = *state;
    struct arena a = {0};
    struct buf content = {0};
    struct spool_claim claim;

    assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.0", "s@far.example"));
    assert_true(owe(w, NOTICE_AUTOREPLY, "1-2.a.0", "s@far.example"));
    memory_spool_park(w->spool, true);
    assert_true(owe(w, NOTICE_BOUNCE, "1-2.b.1", "s@far.example"));
    desk_drop(&w->desk);
    memory_spool_park(w->spool, false);
    answer(w, w->asked.seq, VACATION_REPLY);
    assert_true(next_message(w, &a, &claim, &content));
    assert_true(str_eq(claim.envelope.notice, STR("1-2.b.0")));
    assert_false(next_message(w, &a, &claim, &content));
    assert_true(desk_idle(&w->desk));
    arena_fini(&a);
    buf_fini(&content);
}

static void
the_directory_comes_back(void **state)
{
    struct world *w = *state;
    assert_true(owe(w, NOTICE_AUTOREPLY, "1-2.a.0", "s@far.example"));
    uint64_t seq = w->asked.seq;
    desk_ask_again(&w->desk);
    assert_int_equal(w->n_asked, 2);
    assert_int_equal(w->asked.seq, seq);
}

static void
not_for_a_queue_to_say(void **state)
{
    struct world *w = *state;
    assert_false(desk_take(&w->desk, STR("nonsense"), open_original(), now));
    assert_false(desk_take(&w->desk, STR(""), -1, now));
    assert_false(owe(w, 0, "1-2.b.0", "s@far.example"));
    assert_false(owe(w, 3, "1-2.b.0", "s@far.example"));
    assert_false(desk_answer(&w->desk, STR("nonsense"), now));
    assert_true(desk_idle(&w->desk));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_bounce),
        TEST(no_bounce_for_a_bounce),
        TEST(an_autoreply),
        TEST(no_autoreply),
        TEST(one_debt_is_one_letter),
        TEST(no_room_then_room),
        TEST(parked),
        TEST(the_queue_goes),
        TEST(the_directory_comes_back),
        TEST(not_for_a_queue_to_say),
    };
    return cmocka_run_group_tests_name("notify/letter", tests, NULL, NULL);
}
