/* SPDX-License-Identifier: ISC */
/*
 * A stream connection as a session sees it: bytes that came, bytes to go, and
 * one callback, the step, for everything that happens to it. TLS can be put
 * underneath at any moment; the session sees plaintext only.
 *
 *     static void on_step(void *ctx) { session_step(ctx); }
 *     c = conn_new(loop, fd, on_step, session);
 *     ... in the step:
 *     used = smtp_feed(&s->smtp, conn_input(c), &ev);
 *     conn_consume(c, used);
 *     conn_write(c, reply);
 *
 * An idle connection holds no buffers: reading goes through one buffer of the
 * loop, and only octets that the step left unconsumed are kept.
 */
#pragma once

#include "base/str.h"
#include "os/loop.h"
#include "os/tls.h"

struct conn;

enum conn_state {
    CONN_CONNECTING = 0,
    CONN_OPEN,
    CONN_TLS_HANDSHAKE,
    CONN_EOF,    /* the peer sends no more; what came before is in the input */
    CONN_FAILED, /* reset, time-out of the kernel, TLS trouble: conn_error() */
};

/* Takes ownership of fd (connected, or connecting as net_connect() left it).
 * step is called from the loop only, never from inside the calls below. */
struct conn *conn_new(struct loop *l, int fd, loop_fn step, void *ctx);
/* The same for what net_accept() gave: the kernel need not be asked whether it
 * is connected. */
struct conn *conn_accepted(struct loop *l, int fd, loop_fn step, void *ctx);
/* Closes; unsent output is dropped. Allowed inside the step. */
void conn_free(struct conn *c);

enum conn_state conn_state(const struct conn *c);
const char *conn_error(const struct conn *c);

/* What came and was not consumed; valid until the step returns or the input
 * is consumed. */
struct str conn_input(const struct conn *c);
void conn_consume(struct conn *c, size_t n);
/* The same for octets that hold a password: they are overwritten, here and in
 * the loop's buffers. (What is only kept for later leaves no copy anyway.) */
void conn_consume_secret(struct conn *c, size_t n);

/* Queues; leaves when the step returns, or at conn_flush(). Bytes written in
 * another callback than the step leave at the end of the turn. */
void conn_write(struct conn *c, struct str bytes);
void conn_flush(struct conn *c);
size_t conn_unsent(const struct conn *c); /* octets the kernel has not taken */

/* false: read no more for now (a parked session); what came stays. */
void conn_want_input(struct conn *c, bool want);

/* The step runs once more in this turn even if nothing comes. */
void conn_again(struct conn *c);

/* From here on TLS. The input must be empty (STARTTLS: what came behind the
 * command in clear was refused or dropped by the caller). */
void conn_start_tls(struct conn *c, struct tls_context *context,
                    struct str name);
const struct tls *conn_tls(const struct conn *c); /* NULL: clear */

/* No more output after what is queued (TLS close_notify, FIN); the step is
 * still called for input and EOF. */
void conn_end_output(struct conn *c);
