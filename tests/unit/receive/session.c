/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "house.h"

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
