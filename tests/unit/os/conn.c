/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "cert.h"
#include "os/conn.h"
#include "os/loop_internal.h"
#include "os/net.h"

/* A session that collects what it is told and may leave some unconsumed. */
struct end {
    struct loop *loop;
    struct conn *conn;
    struct buf got;
    size_t keep; /* octets left in the input at each step */
    size_t steps, stop_at_octets;
    bool stop_at_eof, stop_when_open, free_in_step, echo, secret;
};

static void
on_step(void *ctx)
{
    struct end *e = ctx;
    e->steps++;
    struct str in = conn_input(e->conn);
    size_t take = in.n > e->keep ? in.n - e->keep : 0;
    buf_add(&e->got, str_first(in, take));
    if (e->echo)
        conn_write(e->conn, str_first(in, take));
    if (e->secret)
        conn_consume_secret(e->conn, take);
    else
        conn_consume(e->conn, take);
    enum conn_state state = conn_state(e->conn);
    bool over = state == CONN_EOF || state == CONN_FAILED;
    if ((e->stop_at_eof && over) || (e->stop_when_open && state == CONN_OPEN) ||
        (e->stop_at_octets > 0 && e->got.n >= e->stop_at_octets))
        loop_stop(e->loop);
    if (e->free_in_step) {
        conn_write(e->conn, STR("never sent"));
        conn_free(e->conn);
        conn_again(e->conn);
        e->conn = NULL;
        loop_stop(e->loop);
    }
}

static void
end_fini(struct end *e)
{
    conn_free(e->conn);
    buf_fini(&e->got);
}

/* Two ends on one loop. */
struct rig {
    struct loop *loop;
    struct end a, b;
};

static void
rig_init(struct rig *r)
{
    int fds[2];
    *r = (struct rig){.loop = loop_new()};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                     0);
    r->a.loop = r->b.loop = r->loop;
    r->a.conn = conn_new(r->loop, fds[0], on_step, &r->a);
    r->b.conn = conn_new(r->loop, fds[1], on_step, &r->b);
}

static void
rig_fini(struct rig *r)
{
    end_fini(&r->a);
    end_fini(&r->b);
    loop_free(r->loop);
}

static void
on_tick(void *ctx)
{
    loop_stop(ctx);
}

static void
settle(struct loop *l)
{
    struct timer *t = timer_new(l, on_tick, l);
    timer_set(t, loop_now(l).mono_ms + 30);
    loop_run(l);
    timer_free(t);
}

static void
dialogue(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    assert_int_equal(conn_state(r.a.conn), CONN_OPEN);
    r.b.keep = 2;
    conn_write(r.a.conn, STR("abc"));
    conn_write(r.a.conn, STR("def"));
    settle(r.loop);
    assert_true(str_eq(buf_str(&r.b.got), STR("abcd")));
    assert_int_equal(r.b.steps, 1); // one write, one read, one step
    assert_true(str_eq(conn_input(r.b.conn), STR("ef")));
    r.b.keep = 0;
    conn_write(r.a.conn, STR("g"));
    settle(r.loop);
    assert_true(str_eq(buf_str(&r.b.got), STR("abcdefg")));
    assert_int_equal(conn_input(r.b.conn).n, 0);

    conn_end_output(r.a.conn);
    r.b.stop_at_eof = true;
    loop_run(r.loop);
    assert_int_equal(conn_state(r.b.conn), CONN_EOF);
    conn_write(r.b.conn, STR("bye")); // the other half is still open
    settle(r.loop);
    assert_true(str_eq(buf_str(&r.a.got), STR("bye")));
    rig_fini(&r);
}

static bool
holds(struct str memory, struct str text)
{
    return str_find(memory, text) >= 0;
}

/* Nothing of a login stays where the next client's octets go. */
static void
look_for_secrets(struct rig *r, struct str memory)
{
    r->b.keep = SIZE_MAX;
    conn_write(r->a.conn, STR("AUTH PLAIN AGJvYgBjb3Jy"));
    settle(r->loop);
    assert_true(holds(conn_input(r->b.conn), STR("AGJvYgBjb3Jy")));
    assert_false(holds(memory, STR("AGJvYgBjb3Jy"))); // half a line
    r->b.keep = 0;
    r->b.secret = true;
    conn_write(r->a.conn, STR("ZWN0IGhvcnNl\r\n"));
    settle(r->loop);
    assert_true(holds(buf_str(&r->b.got), STR("AGJvYgBjb3JyZWN0IGhvcnNl")));
    assert_false(holds(memory, STR("AGJvYgBj")));
    assert_false(holds(memory, STR("ZWN0IGhv")));
    r->b.secret = false;
}

static void
secret_clear(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    look_for_secrets(&r, str_from_n(loop_read_buffer(r.loop), LOOP_READ_MAX));
    rig_fini(&r);
}

/* Far more than the kernel holds, in both directions, echoed. */
static void
bulk(struct rig *r, size_t total)
{
    struct buf big = {0};
    char *p = buf_reserve(&big, total);
    for (size_t i = 0; i < total; i++)
        p[i] = (char)(i * 31 + i / 251);
    big.n = total;
    r->b.echo = true;
    total -= r->b.keep; // so many never come back
    r->a.stop_at_octets = total;
    conn_write(r->a.conn, buf_str(&big));
    conn_flush(r->a.conn);
    assert_true(conn_unsent(r->a.conn) > 0);
    loop_run(r->loop);
    assert_int_equal(r->a.got.n, total);
    assert_memory_equal(r->a.got.p, big.p, total);
    assert_int_equal(conn_unsent(r->a.conn), 0);
    buf_fini(&big);
}

static void
bulk_clear(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    r.b.keep = 0;
    bulk(&r, 5 << 20);
    rig_fini(&r);
}

static void
parked(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    conn_want_input(r.b.conn, false);
    conn_write(r.a.conn, STR("one"));
    settle(r.loop);
    conn_write(r.a.conn, STR("two"));
    settle(r.loop);
    assert_int_equal(r.b.steps, 0);
    conn_want_input(r.b.conn, true);
    settle(r.loop);
    assert_true(str_eq(buf_str(&r.b.got), STR("onetwo")));
    conn_again(r.b.conn);
    size_t before = r.b.steps;
    settle(r.loop);
    assert_int_equal(r.b.steps, before + 1);
    rig_fini(&r);
}

/* A session that never consumes is not read from without bound. */
static void
hoarder(void **state)
{
    struct rig r;
    struct buf big = {0};
    (void)state;
    rig_init(&r);
    memset(buf_reserve(&big, 1 << 20), 'x', 1 << 20);
    big.n = 1 << 20;
    r.b.keep = SIZE_MAX;
    conn_write(r.a.conn, buf_str(&big));
    settle(r.loop);
    size_t held = conn_input(r.b.conn).n;
    assert_true(held > 0 && held <= 256 << 10);
    size_t steps = r.b.steps;
    settle(r.loop);
    assert_int_equal(r.b.steps, steps);
    r.b.keep = 0;
    r.b.stop_at_octets = 1 << 20;
    conn_consume(r.b.conn, held);
    r.b.stop_at_octets -= held;
    loop_run(r.loop);
    assert_int_equal(r.b.got.n + held, 1 << 20);
    buf_fini(&big);
    rig_fini(&r);
}

static void
freed_in_step(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    r.b.free_in_step = true;
    r.a.stop_at_eof = true;
    conn_write(r.a.conn, STR("x"));
    loop_run(r.loop);
    loop_run(r.loop);
    assert_int_equal(r.a.got.n, 0);
    rig_fini(&r);
}

static void
write_to_gone(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    conn_free(r.b.conn);
    r.b.conn = NULL;
    conn_want_input(r.a.conn, false);
    conn_write(r.a.conn, STR("x"));
    r.a.stop_at_eof = true;
    loop_run(r.loop);
    assert_int_equal(conn_state(r.a.conn), CONN_FAILED);
    assert_non_null(strstr(conn_error(r.a.conn), "Broken pipe"));
    size_t steps = r.a.steps;
    settle(r.loop);
    assert_int_equal(r.a.steps, steps); // told once
    rig_fini(&r);
}

static void
connecting(void **state)
{
    struct err e;
    int fds[4];
    char text[64];
    struct net_address to;
    struct loop *l = loop_new();
    struct end a = {.loop = l};
    unsigned port = 20000 + (unsigned)getpid() % 20000;
    (void)state;
    for (size_t n = 0; n == 0; port++) {
        (void)snprintf(text, sizeof text, "127.0.0.1:%u", port);
        n = net_listen(str_from(text), false, fds, 4, &e);
    }
    port--;
    assert_true(net_parse(STR("127.0.0.1"), (uint16_t)port, &to));
    a.stop_when_open = a.stop_at_eof = true;
    a.conn = conn_new(l, net_connect(&to, &e), on_step, &a);
    if (conn_state(a.conn) == CONN_CONNECTING)
        loop_run(l);
    assert_int_equal(conn_state(a.conn), CONN_OPEN);
    conn_free(a.conn);
    (void)close(fds[0]);

    int fd = net_connect(&to, &e); // refused now
    if (fd >= 0) {
        a.conn = conn_new(l, fd, on_step, &a);
        loop_run(l);
        assert_int_equal(conn_state(a.conn), CONN_FAILED);
        assert_non_null(strstr(conn_error(a.conn), "refused"));
        conn_free(a.conn);
    }
    buf_fini(&a.got);
    loop_free(l);
}

static void
under_tls(void **state)
{
    struct rig r;
    struct err e;
    struct cert cert = cert_new("DNS:mx.example");
    struct tls_context *server =
        tls_server_context(buf_str(&cert.certificate), buf_str(&cert.key), &e);
    struct tls_context *client =
        tls_client_context(true, buf_str(&cert.certificate), &e);
    (void)state;
    rig_init(&r);
    /* In clear first: the reply to STARTTLS must leave before the switch. */
    conn_write(r.b.conn, STR("220 ready\r\n"));
    conn_start_tls(r.b.conn, server, STR_EMPTY);
    r.a.stop_at_octets = 11;
    loop_run(r.loop);
    assert_true(str_eq(buf_str(&r.a.got), STR("220 ready\r\n")));
    buf_clear(&r.a.got);
    r.a.stop_at_octets = 0;

    conn_start_tls(r.a.conn, client, STR("mx.example"));
    conn_write(r.a.conn, STR("secret"));
    r.b.stop_at_octets = 6;
    r.b.keep = 0;
    loop_run(r.loop);
    assert_true(str_eq(buf_str(&r.b.got), STR("secret")));
    assert_int_equal(conn_state(r.b.conn), CONN_OPEN);
    assert_true(str_eq(tls_version(conn_tls(r.b.conn)), STR("TLS1.3")));
    r.b.stop_at_octets = 0;
    const struct buf *plain = loop_plain_buffer(r.loop);
    look_for_secrets(&r, str_from_n(plain->p, plain->cap));
    buf_clear(&r.b.got);
    r.b.keep = 3; // leftovers under TLS
    bulk(&r, 3 << 20);
    rig_fini(&r);
    tls_context_free(client);
    tls_context_free(server);
    cert_fini(&cert);
}

static void
tls_refused(void **state)
{
    struct rig r;
    struct err e;
    struct cert cert = cert_new("DNS:mx.example");
    struct tls_context *server =
        tls_server_context(buf_str(&cert.certificate), buf_str(&cert.key), &e);
    struct tls_context *client =
        tls_client_context(true, buf_str(&cert.certificate), &e);
    (void)state;
    rig_init(&r);
    conn_start_tls(r.b.conn, server, STR_EMPTY);
    conn_start_tls(r.a.conn, client, STR("other.example"));
    r.a.stop_at_eof = true;
    loop_run(r.loop);
    assert_int_equal(conn_state(r.a.conn), CONN_FAILED);
    assert_non_null(strstr(conn_error(r.a.conn), "hostname"));
    settle(r.loop);
    assert_int_equal(conn_state(r.b.conn), CONN_FAILED);
    rig_fini(&r);
    tls_context_free(client);
    tls_context_free(server);
    cert_fini(&cert);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogue),      cmocka_unit_test(bulk_clear),
        cmocka_unit_test(parked),        cmocka_unit_test(hoarder),
        cmocka_unit_test(freed_in_step), cmocka_unit_test(write_to_gone),
        cmocka_unit_test(connecting),    cmocka_unit_test(under_tls),
        cmocka_unit_test(tls_refused),   cmocka_unit_test(secret_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
