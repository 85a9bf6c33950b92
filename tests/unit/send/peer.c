/* SPDX-License-Identifier: ISC */
#include "peer.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/alloc.h"
#include "os/net.h"

struct visitor {
    struct visitor *next;
    struct peer *peer;
    struct conn *conn; /* NULL: it has left */
    size_t rcpts, mails, messages;
    bool data, shaking, tls;
    struct buf content, names;
};

static void
say(struct visitor *v, const char *text)
{
    conn_write(v->conn, str_from(text));
    conn_write(v->conn, STR("\r\n"));
}

static void
leave(struct visitor *v)
{
    conn_free(v->conn);
    v->conn = NULL;
    v->peer->open--;
    buf_fini(&v->content);
    buf_fini(&v->names);
}

static void
say_hello(struct visitor *v)
{
    say(v, "250-peer");
    if ((v->peer->tls != NULL || v->peer->breaks_tls ||
         v->peer->hangs_up_at_hello) &&
        !v->tls)
        say(v, "250-STARTTLS");
    if (v->peer->wants_login && v->tls)
        say(v, "250-AUTH PLAIN");
    say(v, "250-PIPELINING");
    say(v, "250 8BITMIME");
}

static void
take_starttls(struct visitor *v)
{
    say(v, "220 2.0.0 go");
    v->shaking = true;
    if (v->peer->breaks_tls)
        say(v, "this is not TLS");
}

static void
take_mail(struct visitor *v)
{
    v->rcpts = 0;
    v->peer->mails++;
    if (++v->mails == v->peer->hang_up_before) {
        leave(v);
        return;
    }
    buf_clear(&v->names);
    say(v, "250 2.1.0 ok");
}

static void
take_rcpt(struct visitor *v, struct str line)
{
    (void)str_skip(&line, STR("RCPT TO:<"));
    (void)str_cut(line, '>', &line, &(struct str){0});
    if (str_starts(line, STR("no"))) {
        say(v, "553 sorry, no mailbox here by that name (#5.1.1)");
    } else if (str_starts(line, STR("later"))) {
        say(v, "450 4.2.1 come back later");
    } else if (v->peer->rcpts_max > 0 && v->rcpts == v->peer->rcpts_max) {
        say(v, "452 4.5.3 too many recipients");
    } else {
        v->rcpts++;
        buf_add(&v->names, line);
        buf_add_char(&v->names, ' ');
        say(v, "250 2.1.5 ok");
    }
}

static void
take_dot(struct visitor *v)
{
    struct peer *p = v->peer;
    v->data = false;
    if (p->hang_up_at_end) {
        leave(v);
        return;
    }
    p->messages++;
    p->octets += v->content.n;
    buf_clear(&p->last);
    buf_add(&p->last, buf_str(&v->content));
    buf_clear(&p->rcpts);
    buf_add(&p->rcpts, buf_str(&v->names));
    buf_clear(&v->content);
    say(v, p->end_reply != NULL ? p->end_reply : "250 2.0.0 taken");
    if (++v->messages == p->hang_up_after) {
        conn_flush(v->conn);
        leave(v);
    }
}

static void
take_content(struct visitor *v, struct str line)
{
    if (str_eq(line, STR("."))) {
        take_dot(v);
        return;
    }
    (void)str_skip_char(&line, '.');
    buf_add(&v->content, line);
    buf_add(&v->content, STR("\r\n"));
}

static void
take_line(struct visitor *v, struct str line)
{
    if (v->data) {
        take_content(v, line);
    } else if (str_starts(line, STR("EHLO"))) {
        say_hello(v);
    } else if (str_eq(line, STR("STARTTLS"))) {
        take_starttls(v);
    } else if (str_starts(line, STR("AUTH PLAIN "))) {
        v->peer->logins++;
        say(v, "235 2.7.0 welcome");
    } else if (str_starts(line, STR("MAIL"))) {
        take_mail(v);
    } else if (str_starts(line, STR("RCPT"))) {
        take_rcpt(v, line);
    } else if (str_eq(line, STR("DATA"))) {
        v->data = v->rcpts > 0;
        say(v, v->data ? "354 go" : "554 5.5.1 no valid recipients");
    } else if (str_eq(line, STR("QUIT"))) {
        leave(v);
    } else {
        say(v, "250 2.0.0 ok");
    }
}

static void
on_step(void *ctx)
{
    struct visitor *v = ctx;
    ssize_t end;

    if (v->shaking && v->peer->hangs_up_at_hello) {
        leave(v);
        return;
    }
    if (v->shaking && !v->peer->breaks_tls) {
        if (conn_state(v->conn) == CONN_TLS_HANDSHAKE)
            return;
        if (conn_state(v->conn) == CONN_OPEN && conn_tls(v->conn) != NULL) {
            v->shaking = false;
            v->tls = true;
            v->peer->tls_handshakes++;
        }
    }
    while (v->conn != NULL &&
           (end = str_find(conn_input(v->conn), STR("\r\n"))) >= 0) {
        struct str line = str_first(conn_input(v->conn), (size_t)end);
        take_line(v, line);
        if (v->conn == NULL)
            return;
        conn_consume(v->conn, (size_t)end + 2);
        if (v->shaking && v->peer->tls != NULL) {
            conn_start_tls(v->conn, v->peer->tls, STR_EMPTY);
            return;
        }
    }
    if (v->conn != NULL &&
        (conn_state(v->conn) == CONN_EOF || conn_state(v->conn) == CONN_FAILED))
        leave(v);
}

static void
on_visit(void *ctx, unsigned ready)
{
    struct peer *p = ctx;
    int fd;
    (void)ready;

    while ((fd = net_accept(p->listener, NULL, NULL)) >= 0) {
        struct visitor *v = alloc_zero(sizeof *v);
        if (p->slow) {
            int small = 32768;
            (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        }
        v->peer = p;
        v->next = p->visitors;
        p->visitors = v;
        p->connections++;
        if (++p->open > p->most_open)
            p->most_open = p->open;
        v->conn = conn_new(p->loop, fd, on_step, v);
        say(v, p->greeting != NULL ? p->greeting : "220 peer");
    }
}

void
peer_open(struct peer *p, struct loop *l)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;

    p->loop = l;
    p->listener =
        socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc = bind(p->listener, (struct sockaddr *)&at, n);
    assert(rc == 0);
    rc = listen(p->listener, 100);
    assert(rc == 0);
    rc = getsockname(p->listener, (struct sockaddr *)&at, &n);
    assert(rc == 0);
    p->port = ntohs(at.sin_port);
    p->watch = watch_new(l, p->listener, on_visit, p);
    watch_want(p->watch, LOOP_READ);
}

void
peer_close(struct peer *p)
{
    for (struct visitor *v = p->visitors, *next; v != NULL; v = next) {
        next = v->next;
        if (v->conn != NULL)
            leave(v);
        free(v);
    }
    watch_free(p->watch);
    (void)close(p->listener);
    buf_fini(&p->last);
    buf_fini(&p->rcpts);
}
