/* SPDX-License-Identifier: ISC */
#include "conformance.h"

#include <string.h>

#include "base/alloc.h"

#include <stdlib.h>

enum { START_MS = 1000000 };

int
conformance_setup(void **state)
{
    struct fixture *f = alloc_zero(sizeof *f);
    f->now = (struct instant){.wall_ms = START_MS, .mono_ms = 5};
    fixture_open(f);
    *state = f;
    return 0;
}

int
conformance_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

struct answer {
    int calls;
    enum spool_result result;
    struct msgid id;
};

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    struct answer *a = ctx;
    a->calls++;
    a->result = result;
    a->id = id;
}

static struct envelope
make_envelope(struct fixture *f, size_t n)
{
    struct envelope e = {.sender = STR("ann@example.org"),
                         .envid = STR("QQ314159"),
                         .ret = DSN_RET_HDRS,
                         .body = BODY_8BITMIME,
                         .smtputf8 = true,
                         .n_rcpts = n,
                         .arrived_ms = f->now.wall_ms,
                         .client = STR("192.0.2.1"),
                         .helo = STR("client.example"),
                         .auth_user = STR("ann@example.org"),
                         .protocol = STR("ESMTPSA"),
                         .session = STR("7K3MQ-2DF9P")};
    e.rcpts = arena_array(&f->arena, n, sizeof *e.rcpts);
    for (size_t i = 0; i < n; i++)
        e.rcpts[i] = (struct recipient){
            .address = arena_printf(&f->arena, "r%zu@example.net", i),
            .orcpt = i == 0 ? STR("rfc822;r0@example.net") : STR_EMPTY,
            .notify = NOTIFY_FAILURE};
    return e;
}

static struct spool_message *
begin_message(struct fixture *f, const struct envelope *e)
{
    enum spool_result why = SPOOL_OK;
    struct spool_message *m = spool_begin(f->door, e, &why);
    assert_non_null(m);
    assert_int_equal(why, SPOOL_OK);
    return m;
}

static struct msgid
store_envelope(struct fixture *f, const struct envelope *e, struct str content)
{
    struct answer a = {0};
    struct spool_message *m = begin_message(f, e);
    struct msgid id = spool_message_id(m);
    assert_true(spool_chunk(m, content));
    spool_commit(m, false, on_stored, &a);
    assert_int_equal(a.calls, 0); // never from inside
    fixture_settle(f);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.result, SPOOL_OK);
    assert_true(msgid_eq(a.id, id));
    return id;
}

static struct msgid
store(struct fixture *f, size_t n)
{
    struct envelope e = make_envelope(f, n);
    return store_envelope(f, &e, STR("Subject: x\r\n\r\nhello\r\n"));
}

static struct spool_claim
claim(struct fixture *f)
{
    struct spool_claim c;
    assert_true(spool_claim(f->store, f->now, &f->arena, &c));
    return c;
}

static void
no_claim(struct fixture *f)
{
    struct spool_claim c;
    assert_false(spool_claim(f->store, f->now, &f->arena, &c));
}

static struct verdict
verdict(enum outcome outcome)
{
    return (struct verdict){
        .outcome = outcome,
        .code = outcome == OUTCOME_LATER ? 451 : 250,
        .status = {4, 2, 1},
        .reason = STR("greylisted"),
        .text = STR("451 4.2.1 come back"),
        .remote = STR("mx.example.net [192.0.2.7]:25"),
        .command = STR("RCPT TO")
    };
}

static struct spool_settlement
settlement(struct msgid id, uint32_t rcpt, enum outcome outcome)
{
    return (struct spool_settlement){
        .id = id, .rcpt = rcpt, .verdict = verdict(outcome)};
}

static void
settle(struct fixture *f, struct spool_settlement x)
{
    assert_true(spool_settle(f->store, &x));
}

static struct spool_view
show(struct fixture *f, struct msgid id)
{
    struct spool_view v;
    assert_true(spool_show(f->store, id, &f->arena, &v));
    return v;
}

static bool
is_gone(struct fixture *f, struct msgid id)
{
    struct spool_view v;
    return !spool_show(f->store, id, &f->arena, &v);
}

static void
assert_str(struct str got, const char *want)
{
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
}

static void
keeps_envelope_and_content(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 3);
    struct spool_claim c = claim(f);
    struct buf content = {0};
    struct err e;

    assert_true(msgid_eq(c.id, id));
    assert_str(c.envelope.sender, "ann@example.org");
    assert_str(c.envelope.envid, "QQ314159");
    assert_int_equal(c.envelope.ret, DSN_RET_HDRS);
    assert_int_equal(c.envelope.body, BODY_8BITMIME);
    assert_true(c.envelope.smtputf8);
    assert_int_equal(c.envelope.n_rcpts, 3);
    assert_str(c.envelope.client, "192.0.2.1");
    assert_str(c.envelope.session, "7K3MQ-2DF9P");
    assert_int_equal(c.envelope.arrived_ms, START_MS);
    assert_int_equal(c.n_rcpts, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(c.rcpts[i].index, i);
        assert_int_equal(c.rcpts[i].parent, i);
        assert_int_equal(c.rcpts[i].attempts, 0);
        assert_int_equal(c.rcpts[i].notify, NOTIFY_FAILURE);
    }
    assert_str(c.rcpts[0].orcpt, "rfc822;r0@example.net");
    assert_str(c.rcpts[2].address, "r2@example.net");
    assert_int_equal(c.size, 21);
    assert_true(spool_read(f->store, &c.at, &content, &e));
    assert_str(buf_str(&content), "Subject: x\r\n\r\nhello\r\n");
    buf_fini(&content);
}

static void
content_in_many_pieces(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {
        0, 1, 4095, 4096, 4097, 65536, 131071, 131072, 131073, 300000, 1000000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct envelope e = make_envelope(f, 1);
        struct answer a = {0};
        struct buf want = {0}, got = {0};
        struct err err;
        for (size_t i = 0; i < sizes[k]; i++)
            buf_add_char(&want, (char)('a' + (i * 7 + i / 251) % 26));
        struct spool_message *m = begin_message(f, &e);
        for (size_t at = 0; at < want.n; at += 3001) {
            struct str rest = str_from_pos(buf_str(&want), at);
            if (!spool_chunk(m, str_first(rest, 3001)))
                fixture_settle(f); // parked: it was taken all the same
        }
        assert_int_equal(spool_message_size(m), sizes[k]);
        spool_commit(m, true, on_stored, &a);
        fixture_settle(f);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.result, SPOOL_OK);
        struct spool_claim c = claim(f);
        assert_true(msgid_eq(c.id, a.id));
        assert_int_equal(c.size, sizes[k]);
        assert_int_equal(c.at.content_size, sizes[k]);
        assert_true(c.at.needs_stuffing);
        assert_true(spool_read(f->store, &c.at, &got, &err));
        assert_int_equal(got.n, want.n);
        assert_true(str_eq(buf_str(&got), buf_str(&want)));
        settle(f, settlement(c.id, 0, OUTCOME_RELAYED));
        fixture_settle(f);
        buf_fini(&want);
        buf_fini(&got);
    }
    assert_int_equal(spool_count(f->store), 0);
}

static void
aborted_is_never_seen(void **state)
{
    struct fixture *f = *state;
    struct envelope e = make_envelope(f, 1);
    struct spool_message *small = begin_message(f, &e);
    struct spool_message *large = begin_message(f, &e);
    struct buf b = {0};
    struct msgid first = spool_message_id(small);

    (void)spool_chunk(small, STR("half"));
    spool_abort(small);
    (void)memset(buf_reserve(&b, 300000), 'x', 300000);
    b.n = 300000;
    (void)spool_chunk(large, buf_str(&b));
    fixture_settle(f);
    (void)spool_chunk(large, buf_str(&b));
    spool_abort(large);
    fixture_settle(f);
    no_claim(f);
    assert_int_equal(spool_count(f->store), 0);
    struct msgid id = store(f, 1);
    assert_false(msgid_eq(id, first));
    assert_true(msgid_eq(claim(f).id, id));
    buf_fini(&b);
}

static void
ids_are_unique(void **state)
{
    struct fixture *f = *state;
    struct msgid ids[50];
    for (size_t i = 0; i < 50; i++) {
        ids[i] = store(f, 1);
        for (size_t k = 0; k < i; k++)
            assert_false(msgid_eq(ids[i], ids[k]));
    }
    assert_int_equal(spool_count(f->store), 50);
}

static void
claims_the_longest_due_first(void **state)
{
    struct fixture *f = *state;
    struct msgid a = store(f, 1);
    f->now.wall_ms += 10;
    struct msgid b = store(f, 1);
    f->now.wall_ms += 10;
    struct msgid c = store(f, 1);

    assert_int_equal(spool_next_due(f->store), START_MS);
    assert_true(spool_reschedule(f->store, a, START_MS + 15));
    assert_true(spool_reschedule(f->store, c, START_MS + 100));
    assert_int_equal(spool_next_due(f->store), START_MS + 10);
    assert_true(msgid_eq(claim(f).id, b));
    assert_true(msgid_eq(claim(f).id, a));
    no_claim(f);
    assert_int_equal(spool_next_due(f->store), START_MS + 100);
    f->now.wall_ms += 80;
    assert_true(msgid_eq(claim(f).id, c));
    assert_true(spool_next_due(f->store) == INT64_MAX);
}

static void
delivered_is_gone(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 2);
    (void)claim(f);
    settle(f, settlement(id, 0, OUTCOME_DELIVERED));
    assert_int_equal(spool_count(f->store), 1);
    assert_int_equal(show(f, id).rcpts[0].state, RCPT_DONE);
    assert_int_equal(show(f, id).rcpts[1].state, RCPT_LEASED);
    settle(f, settlement(id, 1, OUTCOME_RELAYED));
    assert_int_equal(spool_count(f->store), 0);
    assert_true(is_gone(f, id));
    struct spool_settlement again = settlement(id, 1, OUTCOME_RELAYED);
    assert_false(spool_settle(f->store, &again));
    fixture_settle(f);
    no_claim(f);
}

static void
settles_only_what_is_leased(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 1);
    struct spool_settlement x = settlement(id, 0, OUTCOME_DELIVERED);
    assert_false(spool_settle(f->store, &x)); // not claimed
    (void)claim(f);
    x.rcpt = 1;
    assert_false(spool_settle(f->store, &x)); // no such recipient
    x.rcpt = 0;
    x.id.seq += 1000;
    assert_false(spool_settle(f->store, &x)); // no such message
    x.id = id;
    assert_true(spool_settle(f->store, &x));
    assert_false(spool_settle(f->store, &x)); // twice
}

static void
deferred_comes_back(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 2);
    (void)claim(f);
    for (uint32_t i = 0; i < 2; i++) {
        struct spool_settlement x = settlement(id, i, OUTCOME_LATER);
        x.next_ms = START_MS + 1000 * (i + 1);
        settle(f, x);
    }
    fixture_settle(f);
    no_claim(f);
    assert_int_equal(spool_next_due(f->store), START_MS + 1000);
    f->now.wall_ms = START_MS + 1500;
    struct spool_claim c = claim(f);
    assert_int_equal(c.n_rcpts, 1);
    assert_int_equal(c.rcpts[0].index, 0);
    assert_int_equal(c.rcpts[0].attempts, 1);
    assert_int_equal(c.rcpts[0].next_ms, START_MS + 1000);
    assert_int_equal(c.rcpts[0].last.outcome, OUTCOME_LATER);
    assert_int_equal(c.rcpts[0].last.code, 451);
    assert_str(c.rcpts[0].last.reason, "greylisted");
    assert_str(c.rcpts[0].last.text, "451 4.2.1 come back");
    assert_str(c.rcpts[0].last.remote, "mx.example.net [192.0.2.7]:25");
    f->now.wall_ms = START_MS + 2000;
    assert_int_equal(claim(f).rcpts[0].index, 1);
}

static void
untried_and_unleased_come_back_as_they_were(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 2);
    (void)claim(f);
    struct spool_settlement x = settlement(id, 0, OUTCOME_NONE);
    x.next_ms = START_MS + 7;
    settle(f, x);
    spool_unlease(f->store, id, 1, START_MS + 8);
    spool_unlease(f->store, id, 1, START_MS + 9); // no longer leased: nothing
    assert_int_equal(spool_next_due(f->store), START_MS + 7);
    f->now.wall_ms += 8;
    struct spool_claim c = claim(f);
    assert_int_equal(c.n_rcpts, 2);
    assert_int_equal(c.rcpts[0].attempts, 0);
    assert_int_equal(c.rcpts[1].attempts, 0);
    assert_int_equal(c.rcpts[1].next_ms, START_MS + 8);
    assert_int_equal(c.rcpts[0].last.outcome, OUTCOME_NONE);
}

static void
lease_for_a_worker_that_outlived_us(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 2);
    assert_true(spool_reschedule(f->store, id, START_MS + 1000));
    assert_true(spool_lease(f->store, id, 1));
    assert_false(spool_lease(f->store, id, 1));
    assert_false(spool_lease(f->store, id, 2));
    settle(f, settlement(id, 1, OUTCOME_DELIVERED));
    assert_false(spool_lease(f->store, id, 1));
    f->now.wall_ms += 1000;
    struct spool_claim c = claim(f);
    assert_int_equal(c.n_rcpts, 1);
    assert_int_equal(c.rcpts[0].index, 0);
}

static void
third_crash_holds(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 2);
    static const uint32_t both[] = {0, 1};
    assert_false(spool_crashed(f->store, id, both, 2, START_MS));
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(claim(f).crashes, i);
        assert_true(spool_crashed(f->store, id, both, 2, START_MS));
    }
    fixture_settle(f);
    no_claim(f);
    struct spool_view v = show(f, id);
    assert_true(v.held);
    assert_true(v.hold_reason.n > 0);
    assert_int_equal(v.rcpts[0].state, RCPT_HELD);
    assert_true(spool_release(f->store, id, START_MS));
    assert_int_equal(claim(f).crashes, 0);
}

static void
hold_and_release(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 1);
    struct msgid unknown = {id.writer, id.seq + 1000};
    assert_false(spool_hold(f->store, unknown, STR("x")));
    assert_false(spool_release(f->store, id, START_MS)); // is not held
    assert_true(spool_hold(f->store, id, STR("on request")));
    fixture_settle(f);
    no_claim(f);
    assert_true(spool_next_due(f->store) == INT64_MAX);
    assert_str(show(f, id).hold_reason, "on request");
    assert_int_equal(show(f, id).rcpts[0].state, RCPT_HELD);
    assert_true(spool_release(f->store, id, START_MS + 5));
    assert_false(show(f, id).held);
    no_claim(f);
    f->now.wall_ms += 5;
    assert_true(msgid_eq(claim(f).id, id));
    // Holding what is in hand: it stays there, but does not come again.
    assert_true(spool_hold(f->store, id, STR("again")));
    assert_int_equal(show(f, id).rcpts[0].state, RCPT_LEASED);
    struct spool_settlement x = settlement(id, 0, OUTCOME_LATER);
    x.next_ms = START_MS;
    settle(f, x);
    no_claim(f);
    assert_int_equal(show(f, id).rcpts[0].state, RCPT_HELD);
}

static void
remove_ends_it(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 2);
    (void)claim(f);
    assert_false(spool_remove(f->store, id)); // in hand
    settle(f, settlement(id, 0, OUTCOME_DELIVERED));
    spool_unlease(f->store, id, 1, START_MS);
    assert_true(spool_remove(f->store, id));
    assert_false(spool_remove(f->store, id));
    fixture_settle(f);
    assert_true(is_gone(f, id));
    no_claim(f);
    assert_int_equal(spool_count(f->store), 0);
}

static void
expansion(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 2);
    struct str targets[] = {STR("x@example.com"), STR("y@example.com")};
    uint32_t index[2] = {0};
    assert_false(spool_expand(f->store, id, 0, targets, 2, index));
    (void)claim(f);
    assert_true(spool_expand(f->store, id, 0, targets, 2, index));
    assert_int_equal(index[0], 2);
    assert_int_equal(index[1], 3);
    settle(f, settlement(id, 2, OUTCOME_DELIVERED));
    struct spool_settlement x = settlement(id, 3, OUTCOME_LATER);
    x.next_ms = START_MS + 1;
    settle(f, x);
    fixture_settle(f);
    struct spool_view v = show(f, id);
    assert_int_equal(v.n_rcpts, 4);
    assert_int_equal(v.rcpts[0].state, RCPT_EXPANDED);
    assert_int_equal(v.rcpts[1].state, RCPT_LEASED);
    assert_int_equal(v.rcpts[2].state, RCPT_DONE);
    assert_int_equal(v.rcpts[3].state, RCPT_DUE);
    assert_int_equal(v.rcpts[3].parent, 0);
    assert_str(v.rcpts[3].address, "y@example.com");
    settle(f, settlement(id, 1, OUTCOME_DELIVERED));
    f->now.wall_ms += 1;
    struct spool_claim c = claim(f);
    assert_int_equal(c.n_rcpts, 1);
    assert_int_equal(c.rcpts[0].index, 3);
    assert_int_equal(c.rcpts[0].parent, 0);
    assert_str(c.rcpts[0].address, "y@example.com");
    assert_int_equal(c.rcpts[0].notify, NOTIFY_FAILURE); // the alias's own
    assert_int_equal(c.rcpts[0].attempts, 1);
    settle(f, settlement(id, 3, OUTCOME_RELAYED));
    assert_true(is_gone(f, id));
}

static void
bounce_is_owed_until_written(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 4);
    struct spool_notice n, again;
    (void)claim(f);
    for (uint32_t i = 0; i < 4; i++) {
        enum outcome o = i == 2 ? OUTCOME_DELIVERED : OUTCOME_REFUSED;
        struct spool_settlement x = settlement(id, i, o);
        x.notice = i == 2 ? NOTICE_NONE : NOTICE_BOUNCE;
        settle(f, x);
    }
    fixture_settle(f);
    assert_int_equal(spool_count(f->store), 1);
    assert_int_equal(show(f, id).rcpts[0].state, RCPT_OWES);
    assert_true(spool_next_notice(f->store, &f->arena, &n));
    assert_true(msgid_eq(n.original, id));
    assert_int_equal(n.kind, NOTICE_BOUNCE);
    assert_int_equal(n.n_rcpts, 3);
    assert_int_equal(n.rcpts[2], 3);
    assert_false(spool_next_notice(f->store, &f->arena, &again));
    spool_notices_again(f->store);
    assert_true(spool_next_notice(f->store, &f->arena, &again));
    assert_true(str_eq(n.key, again.key));

    struct envelope e = make_envelope(f, 1);
    e.notice = n.key;
    e.sender = STR_EMPTY;
    struct msgid bounce = store_envelope(f, &e, STR("Subject: failed\r\n"));
    assert_true(is_gone(f, id));
    assert_int_equal(spool_count(f->store), 1);
    assert_true(msgid_eq(claim(f).id, bounce));
    spool_notices_again(f->store);
    assert_false(spool_next_notice(f->store, &f->arena, &again));
}

static void
autoreplies_are_owed_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 2);
    struct spool_notice a, b, none;
    (void)claim(f);
    for (uint32_t i = 0; i < 2; i++) {
        struct spool_settlement x = settlement(id, i, OUTCOME_DELIVERED);
        x.notice = NOTICE_AUTOREPLY;
        settle(f, x);
    }
    assert_true(spool_next_notice(f->store, &f->arena, &a));
    assert_true(spool_next_notice(f->store, &f->arena, &b));
    assert_false(spool_next_notice(f->store, &f->arena, &none));
    assert_int_equal(a.n_rcpts, 1);
    assert_int_equal(a.kind, NOTICE_AUTOREPLY);
    assert_false(str_eq(a.key, b.key));
    spool_notice_declined(f->store, a.key);
    spool_notice_declined(f->store, a.key); // twice does no harm
    spool_notice_declined(f->store, STR("nonsense"));
    spool_notice_declined(f->store, STR("1-1.b.0-4294967295"));
    assert_false(is_gone(f, id));
    spool_notice_declined(f->store, b.key);
    fixture_settle(f);
    assert_true(is_gone(f, id));
}

static void
gave_up_is_final(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 1);
    (void)claim(f);
    struct spool_settlement x = settlement(id, 0, OUTCOME_LATER);
    x.give_up = true;
    x.notice = NOTICE_BOUNCE;
    settle(f, x);
    struct spool_view v = show(f, id);
    assert_int_equal(v.rcpts[0].state, RCPT_OWES);
    assert_str(v.rcpts[0].last.text, "451 4.2.1 come back");
    f->now.wall_ms += 1000000;
    no_claim(f);
    assert_true(spool_remove(f->store, id)); // without a notice
    struct spool_notice n;
    assert_false(spool_next_notice(f->store, &f->arena, &n));
}

static bool
count_view(void *ctx, const struct spool_view *v)
{
    size_t *n = ctx;
    assert_str(v->envelope.sender, "ann@example.org");
    assert_int_equal(v->size, 21);
    return ++*n < 3;
}

static void
count_id(void *ctx, struct msgid id)
{
    size_t *n = ctx;
    assert_true(id.writer > 0);
    ++*n;
}

static void
listing(void **state)
{
    struct fixture *f = *state;
    size_t n = 0;
    spool_list(f->store, count_view, &n);
    assert_int_equal(n, 0);
    for (size_t i = 0; i < 5; i++)
        (void)store(f, 1);
    spool_list(f->store, count_view, &n);
    assert_int_equal(n, 3); // the callback had enough
    n = 0;
    spool_ids(f->store, count_id, &n);
    assert_int_equal(n, 5);
}

static void
many_recipients(void **state)
{
    struct fixture *f = *state;
    struct msgid id = store(f, 2000);
    struct spool_claim c = claim(f);
    assert_int_equal(c.n_rcpts, 2000);
    assert_str(c.rcpts[1999].address, "r1999@example.net");
    for (uint32_t i = 0; i < 2000; i++)
        settle(f, settlement(id, i, OUTCOME_DELIVERED));
    assert_true(is_gone(f, id));
}

const struct CMUnitTest conformance_tests[] = {
#define CASE(f)                                                                \
    {                                                                          \
        .name = #f, .test_func = (f), .setup_func = conformance_setup,         \
        .teardown_func = conformance_teardown                                  \
    }
    CASE(keeps_envelope_and_content),
    CASE(content_in_many_pieces),
    CASE(aborted_is_never_seen),
    CASE(ids_are_unique),
    CASE(claims_the_longest_due_first),
    CASE(delivered_is_gone),
    CASE(settles_only_what_is_leased),
    CASE(deferred_comes_back),
    CASE(untried_and_unleased_come_back_as_they_were),
    CASE(lease_for_a_worker_that_outlived_us),
    CASE(third_crash_holds),
    CASE(hold_and_release),
    CASE(remove_ends_it),
    CASE(expansion),
    CASE(bounce_is_owed_until_written),
    CASE(autoreplies_are_owed_one_by_one),
    CASE(gave_up_is_final),
    CASE(listing),
    CASE(many_recipients),
#undef CASE
};
const size_t conformance_count =
    sizeof conformance_tests / sizeof *conformance_tests;
