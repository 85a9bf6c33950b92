/* SPDX-License-Identifier: ISC */
#include "os/conn.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "os/loop_internal.h"

/* From this size on a copy costs more than a system call of its own. */
enum { DIRECT_WRITE = 16 << 10 };

struct conn {
    struct loop *loop;
    struct watch *watch;
    loop_fn step;
    void *ctx;
    struct deferred again, flush;
    int fd;
    enum conn_state state;

    /* Unconsumed input: in the loop's buffers while the step runs (`shared`),
     * else a copy in `kept`. */
    struct str input;
    struct buf kept;

    struct buf out; /* as it goes to the wire, from out_at on */
    size_t out_at;
    struct buf plain; /* under TLS: to be enciphered at the next flush */
    struct tls *tls;
    char *error;

    bool shared;
    bool busy;       /* the step runs: memory must stay */
    bool freed;      /* inside it */
    bool want_input; /* the session's wish */
    bool deaf;   /* input came that was not wanted: it waits in the kernel */
    bool ending; /* no output after what is queued */
    bool ended;  /* close_notify is queued too */
    bool shut;   /* all has left, and the FIN */
};

static void
arm(struct conn *c)
{
    bool over = c->state == CONN_EOF || c->state == CONN_FAILED;
    unsigned events = 0;
    if (c->state == CONN_CONNECTING) {
        events = LOOP_WRITE;
    } else {
        if (!over && !c->deaf)
            events |= LOOP_READ;
        if (c->out.n > 0)
            events |= LOOP_WRITE;
    }
    watch_want(c->watch, events);
}

static void
fail(struct conn *c, const char *text)
{
    if (c->state == CONN_FAILED)
        return;
    c->state = CONN_FAILED;
    size_t n = strlen(text) + 1;
    c->error = memcpy(alloc_resize(NULL, n), text, n);
    buf_fini(&c->out);
    buf_fini(&c->plain);
    c->out_at = 0;
}

static void
fail_sys(struct conn *c, const char *what)
{
    struct err e;
    (void)err_sys(&e, what, "the peer");
    fail(c, e.text);
}

/* Output */

/*
 * At most one system call. A write that takes less than all found the kernel
 * full: the rest waits for LOOP_WRITE.
 */
static void
send_queued(struct conn *c)
{
    if (c->out.n == 0)
        return;
    ssize_t n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n < 0) {
        fail_sys(c, "write to");
        return;
    }
    c->out_at += (size_t)n;
    if (c->out_at < c->out.n)
        return;
    c->out_at = 0;
    buf_fini(&c->out);
}

static void
encipher(struct conn *c)
{
    if (c->plain.n > 0 && c->state != CONN_TLS_HANDSHAKE) {
        if (tls_write(c->tls, buf_str(&c->plain), &c->out) == TLS_FAILED)
            fail(c, tls_error(c->tls));
        buf_fini(&c->plain);
    }
}

static void
drain(struct conn *c)
{
    if (c->state == CONN_CONNECTING || c->state == CONN_FAILED)
        return;
    if (c->tls != NULL)
        encipher(c);
    if (c->ending && !c->ended && c->state != CONN_TLS_HANDSHAKE) {
        if (c->tls != NULL)
            tls_shutdown(c->tls, &c->out);
        c->ended = true;
    }
    send_queued(c);
    if (c->ended && !c->shut && c->out.n == 0 && c->state != CONN_FAILED) {
        (void)shutdown(c->fd, SHUT_WR);
        c->shut = true;
    }
}

void
conn_flush(struct conn *c)
{
    if (c->freed)
        return;
    enum conn_state before = c->state;
    drain(c);
    if (c->state == CONN_FAILED && before != CONN_FAILED)
        loop_defer_step(c->loop, &c->again);
    arm(c);
}

static void
on_flush(struct deferred *d)
{
    conn_flush((struct conn *)((char *)d - offsetof(struct conn, flush)));
}

void
conn_write(struct conn *c, struct str bytes)
{
    if (c->freed || c->state == CONN_FAILED || c->ending || bytes.n == 0)
        return;
    if (bytes.n >= DIRECT_WRITE && c->tls == NULL && c->state == CONN_OPEN) {
        send_queued(c);
        ssize_t n = c->out.n > 0 ? 0
                                 : send(c->fd, bytes.p, bytes.n,
                                        MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            bytes = str_from_pos(bytes, (size_t)n);
    }
    buf_add(c->tls != NULL ? &c->plain : &c->out, bytes);
    if (!c->busy)
        loop_defer_flush(c->loop, &c->flush);
}

size_t
conn_unsent(const struct conn *c)
{
    return c->out.n - c->out_at + c->plain.n;
}

void
conn_end_output(struct conn *c)
{
    c->ending = true;
    if (!c->busy)
        loop_defer_flush(c->loop, &c->flush);
}

/* The step */

static void
release(struct conn *c)
{
    free(c->error);
    free(c);
}

/* The input is always in a buffer of ours or of the loop. */
static void
overwrite(struct str bytes)
{
    alloc_wipe((void *)(uintptr_t)bytes.p, bytes.n);
}

/* What the step left may be half a line with a password: it moves, and no copy
 * of it stays where it was. */
static void
keep_input(struct conn *c)
{
    struct str left = c->input;
    c->shared = false;
    buf_wipe(&c->kept);
    buf_add(&c->kept, left);
    c->input = buf_str(&c->kept);
    overwrite(left);
}

/* The last thing a caller does with c. */
static void
run_step(struct conn *c)
{
    loop_withdraw(&c->again);
    c->busy = true;
    c->step(c->ctx);
    c->busy = false;
    if (c->freed) {
        release(c);
        return;
    }
    if (c->shared)
        keep_input(c);
    conn_flush(c);
}

static void
on_again(struct deferred *d)
{
    run_step((struct conn *)((char *)d - offsetof(struct conn, again)));
}

void
conn_again(struct conn *c)
{
    if (!c->freed)
        loop_defer_step(c->loop, &c->again);
}

/* Input */

static void
take_clear(struct conn *c, char *at, size_t n)
{
    if (c->input.n > 0)
        memcpy(at - c->input.n, c->input.p, c->input.n);
    c->input = (struct str){at - c->input.n, c->input.n + n};
    c->shared = true;
    run_step(c);
}

/* Deciphers. The handshake and what TLS says for itself make no step. */
static void
take_tls(struct conn *c, struct str cipher)
{
    struct buf *plain = loop_plain_buffer(c->loop);
    enum conn_state before = c->state;
    buf_add(plain, c->input);
    size_t had = plain->n;

    switch (tls_feed(c->tls, cipher, plain, &c->out)) {
    case TLS_HANDSHAKE:
        break;
    case TLS_OPEN:
        c->state = CONN_OPEN;
        break;
    case TLS_CLOSED:
        c->state = CONN_EOF;
        break;
    case TLS_FAILED:
        send_queued(c); // the alert
        fail(c, tls_error(c->tls));
        break;
    }
    if (plain->n > had) {
        c->input = buf_str(plain);
        c->shared = true;
    } else {
        overwrite(buf_str(plain)); // the input stays where it was
    }
    if (c->shared || c->state != before)
        run_step(c);
    else
        conn_flush(c);
}

static void
take_end(struct conn *c)
{
    if (c->state == CONN_TLS_HANDSHAKE)
        fail(c, "the peer hung up during the TLS handshake");
    else
        c->state = CONN_EOF;
    run_step(c);
}

/* One read; what is left in the kernel makes the next turn's readiness. */
static void
read_some(struct conn *c)
{
    char *at = loop_read_buffer(c->loop) + c->input.n;
    ssize_t n = recv(c->fd, at, LOOP_READ_MAX - c->input.n, MSG_DONTWAIT);
    if (n > 0 && c->tls == NULL)
        take_clear(c, at, (size_t)n);
    else if (n > 0)
        take_tls(c, str_from_n(at, (size_t)n));
    else if (n == 0)
        take_end(c);
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        fail_sys(c, "read from");
        run_step(c);
    } else {
        arm(c);
    }
}

static void
finish_connect(struct conn *c)
{
    int code = 0;
    socklen_t n = sizeof code;
    (void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &code, &n);
    if (code == 0) {
        c->state = CONN_OPEN;
    } else {
        errno = code;
        fail_sys(c, "connect to");
    }
    run_step(c);
}

static bool
may_read(const struct conn *c)
{
    return c->state == CONN_TLS_HANDSHAKE ||
           (c->want_input && c->input.n < LOOP_READ_MAX);
}

static void
on_ready(void *ctx, unsigned ready)
{
    struct conn *c = ctx;
    if (c->state == CONN_CONNECTING) {
        finish_connect(c);
        return;
    }
    if (ready & LOOP_WRITE)
        drain(c);
    if ((ready & LOOP_READ) && may_read(c)) {
        read_some(c);
        return;
    }
    /* Only now is the kernel told: a session that waits for a sync is mostly
     * answered before its peer says more, and no call was needed. */
    if (ready & LOOP_READ)
        c->deaf = true;
    if (ready & LOOP_WRITE)
        run_step(c);
    else
        arm(c);
}

struct str
conn_input(const struct conn *c)
{
    return c->input;
}

static void
listen_again(struct conn *c)
{
    if (!c->deaf || !may_read(c))
        return;
    c->deaf = false;
    if (!c->busy)
        arm(c);
}

void
conn_consume(struct conn *c, size_t n)
{
    c->input = str_from_pos(c->input, n);
    if (c->input.n == 0 && !c->shared) {
        buf_wipe(&c->kept);
        c->input = STR_EMPTY;
    }
    listen_again(c);
}

void
conn_consume_secret(struct conn *c, size_t n)
{
    overwrite(str_first(c->input, n));
    if (c->shared) // its beginning is there, if it came in pieces
        buf_wipe(&c->kept);
    conn_consume(c, n);
}

void
conn_want_input(struct conn *c, bool want)
{
    c->want_input = want;
    listen_again(c);
}

/* The connection */

static struct conn *
open_conn(struct loop *l, int fd, enum conn_state state, loop_fn step,
          void *ctx)
{
    struct conn *c = alloc_zero(sizeof *c);
    c->loop = l;
    c->fd = fd;
    c->step = step;
    c->ctx = ctx;
    c->again.fn = on_again;
    c->flush.fn = on_flush;
    c->state = state;
    c->input = STR_EMPTY;
    c->want_input = true;
    c->watch = watch_new(l, fd, on_ready, c);
    arm(c);
    return c;
}

struct conn *
conn_new(struct loop *l, int fd, loop_fn step, void *ctx)
{
    struct sockaddr_storage peer;
    socklen_t n = sizeof peer;
    bool connecting =
        getpeername(fd, (struct sockaddr *)&peer, &n) < 0 && errno == ENOTCONN;
    return open_conn(l, fd, connecting ? CONN_CONNECTING : CONN_OPEN, step,
                     ctx);
}

struct conn *
conn_accepted(struct loop *l, int fd, loop_fn step, void *ctx)
{
    return open_conn(l, fd, CONN_OPEN, step, ctx);
}

void
conn_free(struct conn *c)
{
    if (c == NULL || c->freed)
        return;
    c->freed = true;
    loop_withdraw(&c->again);
    loop_withdraw(&c->flush);
    watch_free_closing(c->watch);
    tls_free(c->tls);
    (void)close(c->fd);
    if (c->shared)
        overwrite(c->input);
    buf_wipe(&c->kept);
    buf_fini(&c->out);
    buf_fini(&c->plain);
    if (!c->busy)
        release(c);
}

enum conn_state
conn_state(const struct conn *c)
{
    return c->state;
}

const char *
conn_error(const struct conn *c)
{
    return c->error != NULL ? c->error : "";
}

const struct tls *
conn_tls(const struct conn *c)
{
    return c->tls;
}

/* What the peer said in clear and nobody consumed must not be taken for
 * something said under TLS. */
void
conn_start_tls(struct conn *c, struct tls_context *context, struct str name)
{
    conn_consume(c, c->input.n);
    c->state = CONN_TLS_HANDSHAKE;
    c->tls = tls_new(context, name);
    c->deaf = false;
    if (tls_feed(c->tls, STR_EMPTY, &c->plain, &c->out) == TLS_FAILED) {
        fail(c, tls_error(c->tls));
        conn_again(c);
    }
    if (!c->busy)
        loop_defer_flush(c->loop, &c->flush);
}
