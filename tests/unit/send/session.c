/* SPDX-License-Identifier: ISC */
/*
 * Deliveries through destination and session to a mail server on the same
 * loop. The queue's pipe and the spool are replaced by the functions below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../os/cert.h"
#include "base/alloc.h"
#include "peer.h"
#include "send/session.h"

static struct sender sender;
static struct room room;
static struct conf conf;
static struct peer peer;
static struct loop *loop;
static struct timer *limit;
static char smarthost[32];

static size_t expected; /* reports to come */
static struct buf reports, texts;
static bool draining, unreadable;
static struct buf content;
static bool stuffing;
static size_t piece; /* octets that the spool gives at once */

/* ---- instead of room/jobs.c and spool/reader.c --------------------------- */

bool
jobs_draining(const struct jobs *j)
{
    (void)j;
    return draining;
}

void
jobs_done(struct jobs *j, struct work *w)
{
    static const char *const outcomes[] = {"none", "delivered", "relayed",
                                           "later", "refused"};
    (void)j;
    for (size_t i = 0; i < w->msg.n_rcpts; i++) {
        const struct verdict *v = &w->msg.rcpts[i].verdict;
        char status[16];
        (void)status_format(v->status, status);
        buf_addf(&reports, "%s %u %s %.*s; ", outcomes[v->outcome], v->code,
                 status, STR_ARG(v->command));
        buf_add(&texts, v->text);
        buf_add(&texts, v->remote);
    }
    arena_fini(&w->arena);
    free(w);
    if (--expected == 0)
        loop_stop(loop);
}

bool
spool_reader_open(struct spool_reader *r, const struct disk *disk,
                  int segment_fd, int large_fd, struct msgid id,
                  const struct spool_locator *at, struct err *e)
{
    (void)disk;
    (void)segment_fd;
    (void)large_fd;
    (void)id;
    (void)at;
    *r = (struct spool_reader){.size = content.n, .needs_stuffing = stuffing};
    return !unreadable || err_set(e, "test");
}

void
spool_reader_close(struct spool_reader *r)
{
    (void)r;
}

bool
spool_reader_next(struct spool_reader *r, struct str *bytes, struct err *e)
{
    (void)e;
    *bytes = str_first(str_from_pos(buf_str(&content), r->at), piece);
    r->at += bytes->n;
    return true;
}

/* ---- the stage ----------------------------------------------------------- */

static bool
never_self(void *ctx, struct str address, uint16_t port)
{
    (void)ctx;
    (void)address;
    (void)port;
    return false;
}

static void
on_limit(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

static void
turn(int64_t ms)
{
    timer_set(limit, loop_now(loop).mono_ms + ms);
    loop_run(loop);
    timer_clear(limit);
}

static int
setup(void **state)
{
    struct err e;
    (void)state;

    loop = loop_new();
    limit = timer_new(loop, on_limit, NULL);
    conf = (struct conf){
        .hostname = STR("me.example"),
        .send = {.port = 25,
                 .connections_per_destination = 4,
                 .messages_per_connection = 100,
                 .connect_timeout_ms = 2000,
                 .command_timeout_ms = 2000,
                 .data_timeout_ms = 2000,
                 .idle_timeout_ms = 100,
                 .helo = STR("me.example")}
    };
    room = (struct room){.loop = loop, .conf = &conf};
    peer = (struct peer){0};
    peer_open(&peer, loop);
    (void)snprintf(smarthost, sizeof smarthost, "127.0.0.1:%u", peer.port);
    conf.relay.smarthost = str_from(smarthost);
    sender = (struct sender){
        .room = &room,
        .tls_any = tls_client_context(false, STR_EMPTY, &e),
        .self = {.hostname = conf.hostname, .is_self = never_self}
    };
    draining = unreadable = stuffing = false;
    piece = SIZE_MAX;
    buf_clear(&content);
    buf_add(&content, STR("Subject: x\r\n\r\nhello\r\n"));
    buf_clear(&reports);
    buf_clear(&texts);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    // Sessions say goodbye, destinations go.
    draining = true;
    struct str key;
    void *d;
    for (size_t i = 0; map_next(&sender.destinations, &i, &key, &d);)
        destination_drain(d);
    for (int i = 0; i < 100 && sender.destinations.count > 0; i++)
        turn(20);
    assert_int_equal(sender.destinations.count, 0);
    peer_close(&peer);
    map_fini(&sender.destinations);
    tls_context_free(sender.tls_any);
    tls_context_free(sender.tls_checked);
    timer_free(limit);
    loop_free(loop);
    buf_fini(&content);
    buf_fini(&reports);
    buf_fini(&texts);
    return 0;
}

static struct destination *
the_destination(void)
{
    return destination_find(&sender, conf.relay.smarthost);
}

/* "a@x b@x" to the destination, as one job. */
static void
post(struct destination *d, const char *rcpts)
{
    struct work *w = alloc_zero(sizeof *w);
    struct str rest = str_from(rcpts);

    w->msg.sender = STR("s@me.example");
    w->msg.rcpts = arena_array(&w->arena, 16, sizeof *w->msg.rcpts);
    while (rest.n > 0)
        (void)str_cut(rest, ' ', &w->msg.rcpts[w->msg.n_rcpts++].address,
                      &rest);
    expected++;
    destination_add(d, delivery_new(w));
}

static void
run(void)
{
    destination_pump(the_destination());
    if (expected > 0)
        turn(10000);
    assert_int_equal(expected, 0);
}

static void
send_one(const char *rcpts)
{
    post(the_destination(), rcpts);
    run();
}

static void
expect(const char *want)
{
    assert_string_equal(buf_cstr(&reports), want);
    buf_clear(&reports);
}

#define RELAYED "relayed 250 2.0.0 end of data; "

/* ---- the tests ----------------------------------------------------------- */

static void
many_over_few_connections(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++)
        post(the_destination(), "a@y.example");
    run();
    assert_int_equal(peer.messages, 300);
    assert_int_equal(peer.connections, 4);
    assert_int_equal(peer.octets, 300 * content.n);
    assert_int_equal(reports.n, 300 * strlen(RELAYED));

    // They are kept for a moment, and used again.
    send_one("a@y.example");
    assert_int_equal(peer.connections, 4);
    turn(300);
    assert_int_equal(peer.open, 0);
    assert_int_equal(sender.destinations.count, 0);
}

static void
so_many_messages_and_no_more(void **state)
{
    (void)state;
    conf.send.messages_per_connection = 10;
    conf.send.connections_per_destination = 1;
    for (int i = 0; i < 35; i++)
        post(the_destination(), "a@y.example");
    run();
    assert_int_equal(peer.messages, 35);
    assert_int_equal(peer.connections, 4);
    assert_int_equal(peer.most_open, 1);
}

static void
each_recipient_its_own(void **state)
{
    (void)state;
    send_one("a@y.example no@y.example later@y.example b@y.example");
    expect(RELAYED
           "refused 553 5.1.1 RCPT TO; later 450 4.2.1 RCPT TO; " RELAYED);
    assert_string_equal(buf_cstr(&peer.rcpts), "a@y.example b@y.example ");
    assert_non_null(strstr(buf_cstr(&texts),
                           "553 sorry, no mailbox here by that name (#5.1.1)"
                           "[127.0.0.1]:"));
}

static void
too_many_recipients(void **state)
{
    (void)state;
    peer.rcpts_max = 2;
    send_one("a@y b@y c@y no@y d@y e@y");
    assert_int_equal(peer.messages, 3);
    assert_int_equal(peer.connections, 1);
    expect(RELAYED RELAYED RELAYED
           "refused 553 5.1.1 RCPT TO; " RELAYED RELAYED);
    assert_string_equal(buf_cstr(&peer.rcpts), "e@y ");
}

static void
large_content(void **state)
{
    (void)state;
    buf_clear(&content);
    while (content.n < 3000000)
        buf_add(&content, STR(".a line that begins with a dot\r\n..two\r\n"));
    stuffing = true;
    piece = 128 << 10;
    peer.slow = true;
    conf.send.data_timeout_ms = 9000;
    send_one("a@y.example");
    expect(RELAYED);
    assert_true(str_eq(buf_str(&peer.last), buf_str(&content)));
}

static void
nobody_listens(void **state)
{
    (void)state;
    watch_want(peer.watch, 0);
    conf.relay.smarthost = STR("127.0.0.1:1"); // tcpmux: nobody has it
    post(the_destination(), "a@y.example");
    post(the_destination(), "b@y.example");
    run();
    expect("later 0 4.4.1 connect; later 0 4.4.1 connect; ");
    assert_non_null(strstr(buf_cstr(&texts), "refused"));
}

static void
no_greeting(void **state)
{
    (void)state;
    watch_want(peer.watch, 0); // the kernel accepts, nobody speaks
    conf.send.command_timeout_ms = 200;
    conf.send.connect_timeout_ms = 100;
    send_one("a@y.example");
    expect("later 0 4.4.2 greeting; ");
}

static void
refused_at_the_greeting(void **state)
{
    (void)state;
    peer.greeting = "554 5.7.1 not from you";
    send_one("a@y.example");
    expect("refused 554 5.7.1 greeting; ");
    peer.greeting = "421 4.3.2 not now";
    send_one("a@y.example");
    expect("later 421 4.3.2 greeting; ");
    // A message that can be sent for good reasons is.
    peer.greeting = NULL;
    send_one("a@y.example");
    expect(RELAYED);
}

/* A path with a dead address before the peer's. */
static struct destination *
two_targets(void)
{
    struct destination *d = destination_find(&sender, STR("y.example"));
    struct path *p = alloc_zero(sizeof *p);
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.1"};

    p->users = 1;
    p->until_ms = INT64_MAX;
    route_init(&p->route, STR("y.example"), false, peer.port, 1);
    for (size_t i = 0; i < 2; i++)
        p->route.targets[p->route.n_targets++] =
            (struct route_target){.host = STR("mx.y.example"),
                                  .address = str_from(addresses[i]),
                                  .remote = STR("mx")};
    p->route.need = ROUTE_KNOWN;
    p->open = alloc_array(2, sizeof *p->open);
    d->path = p;
    return d;
}

static void
the_next_target(void **state)
{
    struct destination *d = two_targets();
    (void)state;
    for (int i = 0; i < 20; i++)
        post(d, "a@y.example");
    destination_pump(d);
    turn(10000);
    assert_int_equal(expected, 0);
    assert_int_equal(peer.messages, 20);
}

static void
no_target_left(void **state)
{
    struct destination *d = two_targets();
    (void)state;
    // The last one says never, but the first may come back.
    peer.greeting = "554 5.7.1 not from you";
    post(d, "a@y.example");
    destination_pump(d);
    turn(10000);
    expect("later 0 4.4.1 connect; ");
}

static void
takes_no_more_connections(void **state)
{
    (void)state;
    conf.send.idle_timeout_ms = 5000;
    send_one("a@y.example"); // one session is open now, and idle
    peer.greeting = "421 4.7.0 too many connections";
    for (int i = 0; i < 50; i++)
        post(the_destination(), "a@y.example");
    run();
    assert_int_equal(peer.messages, 51);
    assert_true(peer.connections <= 4);
}

static void
goes_under_tls(void **state)
{
    struct cert c = cert_new("DNS:elsewhere.example");
    struct err e;
    (void)state;
    peer.tls = tls_server_context(buf_str(&c.certificate), buf_str(&c.key), &e);
    for (int i = 0; i < 10; i++)
        post(the_destination(), "a@y.example");
    run();
    assert_int_equal(peer.messages, 10);
    assert_int_equal(peer.tls_handshakes, peer.connections);
    buf_clear(&reports);

    buf_clear(&content);
    while (content.n < 1000000)
        buf_add(&content, STR("another line of a large message\r\n"));
    piece = 100000;
    send_one("a@y.example");
    expect(RELAYED);
    assert_true(str_eq(buf_str(&peer.last), buf_str(&content)));
    tls_context_free(peer.tls);
    cert_fini(&c);
}

static void
broken_tls_is_done_without(void **state)
{
    (void)state;
    peer.breaks_tls = true;
    send_one("a@y.example");
    expect(RELAYED);
    assert_int_equal(peer.connections, 2);
}

static void
no_handshake_no_tls(void **state)
{
    (void)state;
    peer.hangs_up_at_hello = true;
    conf.send.connections_per_destination = 1;
    post(the_destination(), "a@y.example");
    post(the_destination(), "b@y.example");
    run();
    expect(RELAYED RELAYED);
    assert_int_equal(peer.connections, 2);
}

static void
log_in(const char *names, struct str anchors, const char *want, size_t logins)
{
    struct cert c = cert_new(names);
    struct err e;

    conf.relay.smarthost_user = STR("gate");
    sender.password = STR("post word");
    peer.wants_login = true;
    peer.tls = tls_server_context(buf_str(&c.certificate), buf_str(&c.key), &e);
    sender.tls_checked = tls_client_context(
        true, anchors.n > 0 ? anchors : buf_str(&c.certificate), &e);
    assert_non_null(sender.tls_checked);
    send_one("a@y.example");
    expect(want);
    assert_int_equal(peer.logins, logins);
    tls_context_free(peer.tls);
    cert_fini(&c);
}

static void
logs_in(void **state)
{
    (void)state;
    log_in("IP:127.0.0.1", STR_EMPTY, RELAYED, 1);
}

static void
another_name(void **state)
{
    (void)state;
    log_in("DNS:elsewhere.example", STR_EMPTY, "later 0 4.7.5 TLS handshake; ",
           0);
    assert_int_equal(peer.mails, 0);
}

static void
another_issuer(void **state)
{
    struct cert other = cert_new("IP:127.0.0.1");
    (void)state;
    log_in("IP:127.0.0.1", buf_str(&other.certificate),
           "later 0 4.7.5 TLS handshake; ", 0);
    cert_fini(&other);
}

static void
no_tls_no_login(void **state)
{
    (void)state;
    conf.relay.smarthost_user = STR("gate");
    send_one("a@y.example");
    expect("later 0 4.7.4 EHLO; ");
    assert_int_equal(peer.mails, 0);
}

static void
idle_connection_dies(void **state)
{
    (void)state;
    conf.send.idle_timeout_ms = 5000;
    peer.hang_up_before = 2; // as if it had timed out just then
    send_one("a@y.example");
    send_one("b@y.example");
    expect(RELAYED RELAYED);
    assert_int_equal(peer.connections, 2);

    // Closed while idle: noticed at once.
    peer.hang_up_before = 0;
    peer.hang_up_after = 2;
    send_one("c@y.example");
    turn(50);
    assert_int_equal(peer.open, 0);
    send_one("d@y.example");
    assert_int_equal(peer.connections, 3);
}

static void
fresh_connection_dies(void **state)
{
    (void)state;
    peer.hang_up_before = 1;
    send_one("a@y.example");
    expect("later 0 4.4.2 MAIL FROM; ");
    assert_int_equal(peer.connections, 1);
}

static void
dies_at_the_end(void **state)
{
    (void)state;
    peer.hang_up_at_end = true;
    send_one("a@y.example no@y.example");
    expect("later 0 4.4.2 end of data; refused 553 5.1.1 RCPT TO; ");
    assert_non_null(strstr(buf_cstr(&texts), "may double it"));
}

static void
cannot_be_read(void **state)
{
    (void)state;
    unreadable = true;
    send_one("a@y.example");
    expect("later 0 4.3.0 ; ");
    assert_int_equal(peer.mails, 0);
}

static void
drained(void **state)
{
    (void)state;
    conf.send.connections_per_destination = 1;
    for (int i = 0; i < 30; i++)
        post(the_destination(), "a@y.example");
    destination_pump(the_destination());
    while (peer.messages == 0)
        turn(1);
    draining = true;
    destination_drain(the_destination());
    if (expected > 0)
        turn(5000);
    assert_int_equal(expected, 0);
    // What had begun is finished, the rest comes back untried.
    assert_true(peer.messages < 30);
    assert_non_null(strstr(buf_cstr(&reports), "none 0  ; "));
    assert_int_equal(peer.mails, peer.messages);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(many_over_few_connections),
        TEST(so_many_messages_and_no_more),
        TEST(each_recipient_its_own),
        TEST(too_many_recipients),
        TEST(large_content),
        TEST(nobody_listens),
        TEST(no_greeting),
        TEST(refused_at_the_greeting),
        TEST(the_next_target),
        TEST(no_target_left),
        TEST(takes_no_more_connections),
        TEST(goes_under_tls),
        TEST(broken_tls_is_done_without),
        TEST(no_handshake_no_tls),
        TEST(logs_in),
        TEST(another_name),
        TEST(another_issuer),
        TEST(no_tls_no_login),
        TEST(idle_connection_dies),
        TEST(fresh_connection_dies),
        TEST(dies_at_the_end),
        TEST(cannot_be_read),
        TEST(drained),
    };
    return cmocka_run_group_tests_name("send/session", tests, NULL, NULL);
}
