/* SPDX-License-Identifier: ISC */
/*
 * Sessions over real sockets, on a spool in memory and a directory made up
 * here. The functions of room/door.h are this file's own: they put the spool
 * in memory where the pipe to queue would be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "../os/cert.h"
#include "conf/conf.h"
#include "os/channel.h"
#include "os/log.h"
#include "receive/session.h"
#include "room/crowd.h"
#include "spool/memory.h"

struct door {
    struct memory_spool *memory;
    struct spool_door *spool;
    struct spool_store *store;
    struct worker *worker;
    bool slow;
};

struct spool_door *
door_spool(struct door *d)
{
    return d->spool;
}

bool
door_slow(const struct door *d)
{
    return d->slow;
}

bool
door_opened(const struct door *d)
{
    return d->spool != NULL;
}

bool
door_idle(const struct door *d)
{
    return d->spool != NULL;
}

struct door *
door_new(struct room *r, size_t body_memory, loop_fn on_better, void *ctx)
{
    (void)r;
    (void)body_memory;
    (void)on_better;
    (void)ctx;
    return NULL;
}

void
door_attach(struct door *d, int fd)
{
    (void)d;
    (void)fd;
}

void
door_free(struct door *d)
{
    (void)d;
}

static void
on_ready(void *ctx)
{
    struct door *d = ctx;
    for (struct session *s = d->worker->sessions; s != NULL; s = s->next)
        session_resume(s);
}

/* ours.example: ann, bob; everything else is far away */
static bool
find(void *ctx, struct str key, struct str *value)
{
    struct buf b = {0};
    if (str_eq(key, STR("d:ours.example")))
        book_domain_encode(&b,
                           &(struct book_domain){STR("maildir:/m/%{user}")});
    else if (str_eq(key, STR("a:ann@ours.example")) ||
             str_eq(key, STR("a:bob@ours.example")))
        book_account_encode(&b, &(struct book_account){0});
    else
        return false;
    *value = arena_dup(ctx, buf_str(&b));
    buf_fini(&b);
    return true;
}

struct house {
    struct loop *loop;
    struct room room;
    struct worker worker;
    struct door door;
    struct listener mx, submission, submit;
    struct arena values;
    struct channel *directory;
    struct timer *patience;
    bool late;
};

static const char config[] =
    "hostname = \"mx.ours.example\"\n"
    "run-as = caller\n"
    "listen \"mx\" { address = {\"127.0.0.1:2525\"} }\n"
    "listen \"submission\" { address = {\"127.0.0.1:2587\"} auth = required }\n"
    "tls { certificate = \"/c\" key = \"/k\" }\n"
    "domain \"ours.example\" { deliver = \"maildir:/m/%{user}\" }\n"
    "reply \"unknown-recipient\" { text = \"553 sorry, no mailbox here by that "
    "name (#5.1.1)\" }\n"
    "receive { max-connections = 3 }\n";

static void
on_turn_end(void *ctx)
{
    struct house *h = ctx;
    spool_turn(h->door.spool);
}

static void
on_patience(void *ctx)
{
    struct house *h = ctx;
    h->late = true;
    loop_stop(h->loop);
}

/* Directory: ann with "secret". */
static void
on_login(void *ctx, struct str frame, int fd)
{
    struct house *h = ctx;
    struct login_msg m, out = {.type = LOGIN_ANSWER, .account = STR_EMPTY};
    struct buf b = {0};
    assert_true(fd < 0 && login_decode(frame, &m));
    out.seq = m.seq;
    if (str_eq(m.user, STR("ann")) && str_eq(m.password, STR("secret"))) {
        out.result = LOGIN_OK;
        out.account = STR("ann@ours.example");
    }
    login_encode(&b, &out);
    channel_send(h->directory, buf_str(&b));
    buf_fini(&b);
}

static void
on_gone(void *ctx)
{
    (void)ctx;
}

static void
build(struct house *h)
{
    struct cert cert = cert_new("DNS:mx.ours.example");
    struct err e;
    int fds[2];
    struct conf_result conf = conf_parse(str_from(config), "test");
    if (conf.conf == NULL)
        fail_msg("%.*s", STR_ARG(conf.problems[0].text));
    arena_fini(&conf.arena);
    *h = (struct house){.loop = loop_new()};
    log_open("test", false, LOG_ERROR);
    h->room = (struct room){.loop = h->loop, .conf = conf.conf};
    h->door = (struct door){.memory = memory_spool_new(), .worker = &h->worker};
    h->door.spool = memory_door_new(h->door.memory, on_ready, &h->door);
    h->door.store = memory_store_new(h->door.memory);
    h->worker = (struct worker){
        .room = &h->room,
        .book = {.find = find,
                 .ctx = &h->values,
                 .hostname = STR("mx.ours.example")},
        .door = &h->door,
        .desk = login_desk_new(h->loop, NULL, NULL),
        .sasl = sasl_context_new(),
        .crowd = crowd_new(),
        .policy = {.max_size = 1000000,            .max_recipients = 3}
    };
    h->worker.tls =
        tls_server_context(buf_str(&cert.certificate), buf_str(&cert.key), &e);
    assert_non_null(h->worker.tls);
    cert_fini(&cert);
    h->worker.local = (struct smtp_server_options){
        .hostname = STR("mx.ours.example"),
        .max_size = 1000000,
        .max_errors = 20,
        .command_timeout_ms = 5000,
        .data_timeout_ms = 5000,
    };
    h->worker.network = h->worker.local;
    h->worker.network.starttls = true;
    h->worker.network.mechanisms = STR(SASL_MECHANISMS);
    h->mx = (struct listener){.worker = &h->worker,
                              .conf = &h->room.conf->listens[0]};
    h->submission = (struct listener){.worker = &h->worker,
                                      .conf = &h->room.conf->listens[1]};
    h->submit = (struct listener){.worker = &h->worker};
    assert_true(channel_pair(fds));
    login_desk_attach(h->worker.desk, fds[0]);
    h->directory = channel_new(h->loop, fds[1], on_login, on_gone, h);
    h->patience = timer_new(h->loop, on_patience, h);
    loop_at_turn_end(h->loop, on_turn_end, h);
}

static void
tear_down(struct house *h)
{
    while (h->worker.sessions != NULL)
        session_end(h->worker.sessions);
    channel_free(h->directory);
    login_desk_free(h->worker.desk);
    sasl_context_free(h->worker.sasl);
    crowd_free(h->worker.crowd);
    tls_context_free(h->worker.tls);
    loop_free(h->loop);
    spool_door_free(h->door.spool);
    spool_store_free(h->door.store);
    memory_spool_free(h->door.memory);
    buf_fini(&h->worker.reply);
    arena_fini(&h->worker.scratch);
    arena_fini(&h->values);
    conf_free(h->room.conf);
}

/* ---- the client -------------------------------------------------------- */

struct client {
    struct house *house;
    struct conn *conn;
    struct buf heard;
    struct str until; /* the loop stops when this was heard */
    bool waits;
};

static void
on_client(void *ctx)
{
    struct client *c = ctx;
    buf_add(&c->heard, conn_input(c->conn));
    conn_consume(c->conn, conn_input(c->conn).n);
    bool done = c->until.n > 0 ? str_find(buf_str(&c->heard), c->until) >= 0
                               : conn_state(c->conn) != CONN_TLS_HANDSHAKE;
    if (!done || !c->waits)
        return;
    c->waits = false;
    loop_stop(c->house->loop);
}

static void
call(struct client *c, struct house *h, struct listener *at)
{
    struct net_address peer;
    int fds[2];
    *c = (struct client){.house = h};
    assert_true(net_parse(STR("192.0.2.7"), 4711, &peer));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                     0);
    session_admit(at, fds[0], &peer);
    c->conn = conn_new(h->loop, fds[1], on_client, c);
}

static void
run(struct client *c, int64_t ms)
{
    struct house *h = c->house;
    h->late = false;
    c->waits = true;
    timer_set(h->patience, loop_now(h->loop).mono_ms + ms);
    loop_run(h->loop);
    timer_clear(h->patience);
}

/* Says something and waits until something is heard. */
static void
talk(struct client *c, const char *say, const char *until)
{
    buf_clear(&c->heard);
    conn_write(c->conn, str_from(say));
    c->until = str_from(until);
    run(c, 10000);
    if (c->house->late)
        fail_msg("said \"%s\", heard \"%.*s\" and not \"%s\"", say,
                 STR_ARG(buf_str(&c->heard)), until);
}

/* Nothing comes for a while. */
static void
silence(struct client *c, const char *say)
{
    buf_clear(&c->heard);
    conn_write(c->conn, str_from(say));
    c->until = STR("\n");
    run(c, 60);
    if (!c->house->late)
        fail_msg("heard \"%.*s\"", STR_ARG(buf_str(&c->heard)));
}

static void
hang_up(struct client *c)
{
    conn_free(c->conn);
    buf_fini(&c->heard);
}

/* The content of the message due next, its envelope too. */
static struct str
stored(struct house *h, struct spool_claim *claim)
{
    struct buf b = {0};
    struct err e;
    assert_true(spool_claim(h->door.store, (struct instant){INT64_MAX / 2, 0},
                            &h->values, claim));
    assert_true(spool_read(h->door.store, &claim->at, &b, &e));
    struct str text = arena_dup(&h->values, buf_str(&b));
    buf_fini(&b);
    return text;
}

#define ENVELOPE                                                               \
    "MAIL FROM:<x@far.example> RET=HDRS ENVID=e1\r\n"                          \
    "RCPT TO:<ann@ours.example> NOTIFY=NEVER\r\n"

/* ---- tests ------------------------------------------------------------- */

static void
a_message(void **state)
{
    struct house h;
    struct client c;
    struct spool_claim m;
    (void)state;
    build(&h);
    call(&c, &h, &h.mx);
    talk(&c, "", "220 mx.ours.example ESMTP Gatepost\r\n");
    talk(&c, "EHLO c.example\r\n", "250 DSN\r\n");
    talk(&c, ENVELOPE "RCPT TO:<ann@ours.example>\r\nDATA\r\n", "354 ");
    talk(&c, "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n", "221 2.0.0");
    assert_true(str_starts(buf_str(&c.heard), STR("250 2.0.0 kept as ")));
    struct str text = stored(&h, &m);
    assert_true(
        str_starts(text, STR("Received: from c.example ([192.0.2.7])")));
    assert_true(str_find(text, STR("for <ann@ours.example>;")) > 0);
    assert_true(str_ends(text, STR("\r\nSubject: x\r\n\r\n.dot\r\n")));
    assert_true(m.at.needs_stuffing);
    assert_int_equal(m.n_rcpts, 1); // said twice
    assert_int_equal(m.rcpts[0].notify, NOTIFY_NEVER);
    assert_int_equal(m.envelope.ret, DSN_RET_HDRS);
    assert_true(str_eq(m.envelope.envid, STR("e1")));
    assert_true(str_eq(m.envelope.client, STR("192.0.2.7")));
    assert_true(str_eq(m.envelope.helo, STR("c.example")));
    assert_true(str_eq(m.envelope.protocol, STR("ESMTP")));
    assert_int_equal(m.envelope.session.n, 11);
    assert_true(m.envelope.arrived_ms > 1700000000000);
    assert_int_equal(h.worker.n_sessions, 0);
    hang_up(&c);
    tear_down(&h);
}

static void
refusals(void **state)
{
    struct house h;
    struct client c;
    (void)state;
    build(&h);
    call(&c, &h, &h.mx);
    talk(&c, "EHLO c\r\nMAIL FROM:<x@far.example>\r\n", "2.1.0");
    talk(&c, "RCPT TO:<y@else.example>\r\n", "553 5.7.1 relay-denied ");
    assert_true(str_starts(buf_str(&c.heard), STR("553-5.7.1 ")));
    // a text chosen in the config is sent as it is
    talk(&c, "RCPT TO:<nobody@ours.example>\r\n",
         "553 sorry, no mailbox here by that name (#5.1.1)\r\n");
    talk(&c, "RCPT TO:<PostMaster>\r\n", "250 2.1.5");
    talk(&c, "RCPT TO:<ann@ours.example>\r\n", "250 2.1.5");
    talk(&c, "RCPT TO:<ann+x@ours.example>\r\n", "250 2.1.5");
    talk(&c, "RCPT TO:<bob@ours.example>\r\n", "452 4.5.3 too-many-recipients");
    talk(&c, "RSET\r\nMAIL FROM:<> SIZE=1000001\r\n", "552 5.3.4 too-large");
    talk(&c, ENVELOPE "DATA\r\na\nb\r\n.\r\n", "554 5.6.0 bare-line-ends");
    assert_int_equal(spool_count(h.door.store), 0);
    hang_up(&c);
    tear_down(&h);
}

static void
loops(void **state)
{
    struct house h;
    struct client c;
    struct buf b = {0};
    (void)state;
    build(&h);
    call(&c, &h, &h.mx);
    talk(&c, "EHLO c\r\n" ENVELOPE "DATA\r\n", "354 ");
    for (int i = 0; i < 50; i++)
        buf_add(&b, STR("Received: from a by b\r\n"));
    buf_add(&b, STR("\r\n.\r\n"));
    talk(&c, buf_cstr(&b), "554 5.4.6 loop ");
    assert_int_equal(spool_count(h.door.store), 0);
    buf_fini(&b);
    hang_up(&c);
    tear_down(&h);
}

static void
start_tls(struct client *c)
{
    struct err e;
    struct tls_context *context = tls_client_context(false, STR_EMPTY, &e);
    talk(c, "EHLO c\r\nSTARTTLS\r\n", "220 2.0.0");
    conn_start_tls(c->conn, context, STR("mx.ours.example"));
    tls_context_free(context);
    c->until = STR_EMPTY;
    run(c, 10000);
    assert_false(c->house->late);
}

static void
submission(void **state)
{
    struct house h;
    struct client c;
    struct spool_claim m;
    (void)state;
    build(&h);
    call(&c, &h, &h.submission);
    talk(&c, "EHLO c\r\nMAIL FROM:<ann@ours.example>\r\n",
         "530 5.7.0 login-needed");
    start_tls(&c);
    talk(&c, "EHLO c\r\n", "250 DSN\r\n");
    assert_true(
        str_find(buf_str(&c.heard),
                 STR("250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN")) >
        0);
    talk(&c, "MAIL FROM:<ann@ours.example>\r\n", "530 5.7.0 login-needed");
    talk(&c, "AUTH PLAIN AGFubgB3cm9uZw==\r\n", "535 5.7.8 login-failed");
    talk(&c, "AUTH PLAIN AGFubg==\r\n", "535 5.7.8 login-failed");
    talk(&c, "AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n");
    talk(&c, "YW5u\r\n", "334 UGFzc3dvcmQ6\r\n");
    talk(&c, "c2VjcmV0\r\n", "235 2.7.0");
    talk(&c, "MAIL FROM:<bob@ours.example>\r\n", "553 5.7.1 sender-not-yours");
    talk(&c, "MAIL FROM:<Ann@ours.example>\r\nRCPT TO:<y@else.example>\r\n",
         "250 2.1.5");
    talk(&c, "DATA\r\nhi\r\n.\r\n", "250 2.0.0");
    struct str text = stored(&h, &m);
    assert_true(str_find(text, STR("with ESMTPSA (TLSv1.3 ")) > 0 ||
                str_find(text, STR("with ESMTPSA (TLS")) > 0);
    assert_true(str_find(text, STR("\r\nMessage-ID: <")) > 0);
    assert_true(str_find(text, STR("\r\nDate: ")) > 0);
    assert_true(str_ends(text, STR("\r\n\r\nhi\r\n")));
    assert_true(str_eq(m.envelope.auth_user, STR("ann@ours.example")));
    // directory goes away
    channel_free(h.directory);
    h.directory = NULL;
    hang_up(&c);
    call(&c, &h, &h.submission);
    start_tls(&c);
    talk(&c, "EHLO c\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n",
         "454 4.7.0 login-trouble");
    hang_up(&c);
    tear_down(&h);
}

static void
local_programs(void **state)
{
    struct house h;
    struct client c;
    struct spool_claim m;
    (void)state;
    build(&h);
    call(&c, &h, &h.submit);
    talk(&c, "EHLO host\r\n", "250 DSN\r\n");
    assert_true(str_find(buf_str(&c.heard), STR("STARTTLS")) < 0);
    talk(&c, "MAIL FROM:<x@y.example>\r\nRCPT TO:<y@else.example>\r\nDATA\r\n",
         "354 ");
    talk(&c, "Subject: x\r\n\r\n.\r\n", "250 2.0.0");
    struct str text = stored(&h, &m);
    assert_true(str_starts(text, STR("Received: from host (local user ")));
    assert_true(str_find(text, STR("\r\nMessage-ID: <")) > 0);
    assert_int_equal(m.envelope.client.n, 0);
    hang_up(&c);
    tear_down(&h);
}

static void
spool_trouble(void **state)
{
    struct house h;
    struct client c;
    (void)state;
    build(&h);
    call(&c, &h, &h.mx);
    memory_spool_fail(h.door.memory, SPOOL_FULL, SPOOL_OK);
    talk(&c, "EHLO c\r\n" ENVELOPE "DATA\r\n", "452 4.3.1 spool-full");
    memory_spool_fail(h.door.memory, SPOOL_OK, SPOOL_TROUBLE);
    talk(&c, "DATA\r\nx\r\n.\r\n", "451 4.3.0 spool-trouble");
    memory_spool_fail(h.door.memory, SPOOL_CLOSED, SPOOL_OK);
    talk(&c, ENVELOPE "DATA\r\n", "421 4.3.0");
    assert_int_equal(spool_count(h.door.store), 0);
    hang_up(&c);
    tear_down(&h);
}

/* A parked session is not read from; the queue's wish slows replies down. */
static void
waiting(void **state)
{
    struct house h;
    struct client c;
    (void)state;
    build(&h);
    call(&c, &h, &h.mx);
    talk(&c, "EHLO c\r\n" ENVELOPE "DATA\r\n", "354 ");
    memory_spool_park(h.door.memory, true);
    silence(&c, "Subject: x\r\n\r\nhi\r\n.\r\n");
    assert_int_equal(h.worker.sessions->wait, WAIT_ROOM);
    memory_spool_park(h.door.memory, false);
    h.door.slow = true;
    talk(&c, "", "250 2.0.0");
    assert_int_equal(h.worker.sessions->wait, WAIT_NOTHING);
    // a spool that never lets go is not waited for without end
    memory_spool_park(h.door.memory, true);
    h.worker.network.data_timeout_ms = 100;
    talk(&c, ENVELOPE "DATA\r\nSubject: x\r\n\r\nhi\r\n.\r\n", "421 4.3.0");
    assert_int_equal(spool_count(h.door.store), 1);
    hang_up(&c);
    tear_down(&h);
}

/* Who only stopped talking still gets the answer; who hung up is outlived by
 * the message. */
static void
ends(void **state)
{
    struct house h;
    struct client c;
    (void)state;
    build(&h);
    call(&c, &h, &h.mx);
    talk(&c, "EHLO c\r\n" ENVELOPE "DATA\r\n", "354 ");
    conn_write(c.conn, STR("x\r\n.\r\n"));
    conn_end_output(c.conn);
    talk(&c, "", "250 2.0.0");
    assert_int_equal(h.worker.n_sessions, 0);
    hang_up(&c);

    call(&c, &h, &h.mx);
    talk(&c, "EHLO c\r\n" ENVELOPE "DATA\r\n", "354 ");
    conn_write(c.conn, STR("x\r\n.\r\n"));
    conn_flush(c.conn);
    hang_up(&c);
    c = (struct client){.house = &h};
    run(&c, 60);
    assert_int_equal(spool_count(h.door.store), 2);
    assert_int_equal(h.worker.n_sessions, 0);
    tear_down(&h);
}

static void
limits(void **state)
{
    struct house h;
    struct client c[4];
    (void)state;
    build(&h);
    h.worker.network.command_timeout_ms = 300;
    for (int i = 0; i < 3; i++)
        call(&c[i], &h, &h.mx);
    talk(&c[2], "", "220 ");
    call(&c[3], &h, &h.mx);
    talk(&c[3], "", "421 4.3.2");
    hang_up(&c[3]);
    talk(&c[0], "", "421 4.4.2 command-timeout");
    for (int i = 0; i < 3; i++)
        hang_up(&c[i]);
    tear_down(&h);
}

/* The server stops: who owes nothing goes, who is in the middle may finish. */
static void
stopping(void **state)
{
    struct house h;
    struct client idle, busy;
    (void)state;
    build(&h);
    call(&idle, &h, &h.mx);
    talk(&idle, "EHLO c\r\n", "250 DSN\r\n");
    call(&busy, &h, &h.mx);
    talk(&busy, "EHLO c\r\n" ENVELOPE "DATA\r\n", "354 ");
    h.worker.hurry = true;
    for (struct session *s = h.worker.sessions; s != NULL; s = s->next)
        session_dismiss(s);
    talk(&idle, "", "421 4.3.2 server-stopping");
    talk(&busy, "x\r\n.\r\n", "421 4.3.2 server-stopping");
    assert_true(str_starts(buf_str(&busy.heard), STR("250 2.0.0 kept as")));
    assert_int_equal(spool_count(h.door.store), 1);
    hang_up(&idle);
    hang_up(&busy);
    tear_down(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message),      cmocka_unit_test(refusals),
        cmocka_unit_test(loops),          cmocka_unit_test(submission),
        cmocka_unit_test(local_programs), cmocka_unit_test(spool_trouble),
        cmocka_unit_test(waiting),        cmocka_unit_test(ends),
        cmocka_unit_test(limits),         cmocka_unit_test(stopping),
    };
    return cmocka_run_group_tests_name("receive/session", tests, NULL, NULL);
}
