/* SPDX-License-Identifier: ISC */
/* What a pipelined group asks of lists in databases. (With real ones:
 * tests/system/test_list_databases.py.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "house.h"
#include "ipc/lookup.h"

/* Directory's end of the look-ups: ann+n... is on no list. */
struct oracle {
    struct shelf *shelf;
    struct channel *channel;
    struct conf *conf;
    uint64_t seq[600];
    bool yes[600];
    size_t n, answered;
};

static void
on_ask(void *ctx, struct str frame, int fd)
{
    struct oracle *o = ctx;
    struct arena a = {0};
    struct lookup_msg m;
    assert_true(fd < 0 && lookup_decode(&a, frame, &m));
    assert_true(m.type == LOOKUP_ASK && m.list == LIST_VALIDRCPTTO);
    assert_true(o->n < sizeof o->yes);
    o->seq[o->n] = m.seq;
    o->yes[o->n++] = str_starts(m.keys[0], STR("ann+y"));
    arena_fini(&a);
}

/* The last first. */
static void
answer_all(struct oracle *o)
{
    for (size_t i = o->n; i > o->answered; i--) {
        struct buf b = {0};
        lookup_encode(&b, &(struct lookup_msg){.type = LOOKUP_ANSWER,
                                               .seq = o->seq[i - 1],
                                               .found = o->yes[i - 1] ? LIST_YES
                                                                      : LIST_NO,
                                               .value = STR_EMPTY});
        channel_send(o->channel, buf_str(&b));
        buf_fini(&b);
    }
    o->answered = o->n;
}

static void
consult(struct house *h, struct oracle *o)
{
    struct conf_result r = conf_parse(
        STR("hostname = \"mx.ours.example\"\n"
            "gate { validrcptto = \"sqlite:/x?SELECT 1 WHERE ? = 1\" }\n"),
        "test");
    int fds[2];
    assert_non_null(r.conf);
    arena_fini(&r.arena);
    *o = (struct oracle){.conf = r.conf,
                         .shelf = shelf_new(h->loop, NULL, NULL)};
    shelf_expect_lists(o->shelf, o->conf);
    assert_true(channel_pair(fds));
    shelf_attach_lookups(o->shelf, fds[0]);
    o->channel = channel_new(h->loop, fds[1], on_ask, on_gone, o);
    h->worker.shelf = o->shelf;
    h->worker.policy.lists = 1U << LIST_VALIDRCPTTO;
    h->worker.policy.max_recipients = 1000;
}

static void
dismiss(struct house *h, struct oracle *o)
{
    while (h->worker.sessions != NULL)
        session_end(h->worker.sessions);
    channel_free(o->channel);
    shelf_free(o->shelf);
    conf_free(o->conf);
}

/* The first digit of each reply. */
static const char *
digits(struct str heard, char out[32])
{
    struct str line;
    size_t n = 0;
    while (heard.n > 0 && n < 31) {
        (void)str_cut(heard, '\n', &line, &heard);
        if (line.n > 3 && line.p[3] == ' ')
            out[n++] = line.p[0];
    }
    out[n] = '\0';
    return out;
}

/* On a busy machine they take a while; no more come after those. */
static void
has_asked(struct client *c, const struct oracle *o, size_t n)
{
    for (unsigned i = 0; i < 200 && o->n < n; i++)
        silence(c, "");
    assert_int_equal(o->n, n);
}

static void
asked_ahead(void **state)
{
    struct house h;
    struct client c;
    struct oracle o;
    char got[32];
    (void)state;
    build(&h);
    consult(&h, &o);
    call(&c, &h, &h.mx);
    talk(&c, "EHLO c\r\nMAIL FROM:<x@far.example>\r\n", "2.1.0");
    silence(&c, "RCPT TO:<ann+y1@ours.example>\r\n"
                "RCPT TO:<ann+n1@ours.example>\r\n"
                "RCPT TO:<x@else.example>\r\n" // needs nobody
                "RSET\r\n"
                "RCPT TO:<ann+y2@ours.example>\r\n"
                "MAIL FROM:<x@far.example>\r\n"
                "RCPT TO:<ann+n2@ours.example>\r\n"
                "RCPT TO:<ann+n1@ours.example>\r\n"
                "RCPT TO:<ann+y3@ours.example>\r\n"
                "DATA\r\nRCPT TO:<ann+y4@ours.example>\r\n.\r\n");
    has_asked(&c, &o, 5); // n1 once, y4 never
    answer_all(&o);
    talk(&c, "", "250 2.0.0 kept as");
    assert_string_equal(digits(buf_str(&c.heard), got), "25525255232");
    has_asked(&c, &o, 5);
    assert_int_equal(h.worker.asked_ahead, 0);
    // the answers were for those commands, and are not kept
    talk(&c, "MAIL FROM:<x@far.example>\r\n", "2.1.0");
    silence(&c, "RCPT TO:<ann+y3@ours.example>\r\n");
    has_asked(&c, &o, 6);
    hang_up(&c);
    dismiss(&h, &o);
    tear_down(&h);
}

/* So many and no more; who dies in the middle leaves nothing. */
static void
asked_ahead_within_limits(void **state)
{
    struct house h;
    struct client c;
    struct oracle o;
    struct buf b = {0};
    (void)state;
    build(&h);
    consult(&h, &o);
    call(&c, &h, &h.mx);
    talk(&c, "EHLO c\r\nMAIL FROM:<x@far.example>\r\n", "2.1.0");
    for (int i = 0; i < 400; i++)
        buf_addf(&b, "RCPT TO:<ann+y%d@ours.example>\r\n", i);
    silence(&c, buf_cstr(&b));
    has_asked(&c, &o, 257);
    assert_int_equal(h.worker.asked_ahead, 256);
    hang_up(&c);
    call(&c, &h, &h.mx);
    talk(&c, "EHLO c\r\n", "250 DSN\r\n");
    answer_all(&o);
    talk(&c, "NOOP\r\n", "250 2.0.0");
    talk(&c, "MAIL FROM:<x@far.example>\r\n", "2.1.0");
    assert_int_equal(h.worker.n_sessions, 1);
    assert_int_equal(h.worker.asked_ahead, 0);
    // directory goes: no question stays open
    silence(&c, "RCPT TO:<ann+y1@ours.example>\r\n"
                "RCPT TO:<ann+y2@ours.example>\r\n");
    assert_int_equal(h.worker.asked_ahead, 1);
    channel_free(o.channel);
    o.channel = NULL;
    talk(&c, "NOOP\r\n", "250 2.0.0");
    assert_int_equal(h.worker.asked_ahead, 0);
    buf_fini(&b);
    hang_up(&c);
    dismiss(&h, &o);
    tear_down(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_ahead),
        cmocka_unit_test(asked_ahead_within_limits),
    };
    return cmocka_run_group_tests_name("receive/ahead", tests, NULL, NULL);
}
