/* SPDX-License-Identifier: ISC */
#include "cli/probe.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A reply takes longer only where a greeting is delayed or the DNS is slow. */
enum { TIMEOUT_MS = 60 * 1000, REPLY_LONGEST = 65536 };

static bool
wait_for(const struct probe *p, short events, struct err *e)
{
    struct pollfd fd = {.fd = p->fd, .events = events};
    int n;
    do {
        n = poll(&fd, 1, TIMEOUT_MS);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(e, "poll", "connection");
    return n > 0 ||
           err_set(e, "no answer within %d seconds", TIMEOUT_MS / 1000);
}

static bool
send_raw(const struct probe *p, struct str bytes, struct err *e)
{
    while (bytes.n > 0) {
        ssize_t n = send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n >= 0)
            bytes = str_from_pos(bytes, (size_t)n);
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for(p, POLLOUT, e))
                return false;
        } else if (errno != EINTR)
            return err_sys(e, "send", "connection");
    }
    return true;
}

static bool
send_all(struct probe *p, struct str bytes, struct err *e)
{
    struct buf cipher = {0};
    if (p->tls == NULL)
        return send_raw(p, bytes, e);
    bool ok = tls_write(p->tls, bytes, &cipher) == TLS_OPEN ||
              err_set(e, "TLS: %s", tls_error(p->tls));
    ok = ok && send_raw(p, buf_str(&cipher), e);
    buf_fini(&cipher);
    return ok;
}

/* The plaintext of what came goes to p->in; TLS answers for itself. */
static bool
decipher(struct probe *p, struct str bytes, struct err *e)
{
    struct buf cipher = {0};
    enum tls_state state = tls_feed(p->tls, bytes, &p->in, &cipher);
    bool ok = send_raw(p, buf_str(&cipher), e);
    buf_fini(&cipher);
    if (state == TLS_FAILED)
        return err_set(e, "TLS: %s", tls_error(p->tls));
    return ok;
}

/* From the kernel; under TLS it need not be anything for us. */
static bool
read_more(struct probe *p, struct err *e)
{
    char bytes[4096];
    for (;;) {
        ssize_t n = recv(p->fd, bytes, sizeof bytes, 0);
        if (n > 0 && p->tls != NULL)
            return decipher(p, str_from_n(bytes, (size_t)n), e);
        if (n > 0) {
            buf_add(&p->in, str_from_n(bytes, (size_t)n));
            return true;
        }
        if (n == 0)
            return err_set(e, "the server hung up");
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            return err_sys(e, "recv", "connection");
        if (errno != EINTR && !wait_for(p, POLLIN, e))
            return false;
    }
}

static bool
is_last(struct str line)
{
    return line.n < 4 || line.p[3] != '-';
}

static unsigned
read_reply(struct probe *p, struct err *e)
{
    buf_clear(&p->reply);
    for (;;) {
        ssize_t end = str_find_char(buf_str(&p->in), '\n');
        if (end < 0) {
            if (p->reply.n + p->in.n > REPLY_LONGEST) {
                (void)err_set(e, "the reply is too long");
                return 0;
            }
            if (!read_more(p, e))
                return 0;
            continue;
        }
        struct str line = str_first(buf_str(&p->in), (size_t)end + 1);
        bool last = is_last(line);
        uint64_t code = 0;
        if (!str_to_u64(str_first(line, 3), &code) || code < 200 || code > 599)
            (void)err_set(e, "that is no SMTP reply");
        buf_add(&p->reply, line);
        buf_consume(&p->in, line.n);
        if (last)
            return code >= 200 && code <= 599 ? (unsigned)code : 0;
    }
}

bool
probe_start_tls(struct probe *p, struct tls_context *tls, struct err *e)
{
    buf_clear(&p->in);
    p->tls = tls_new(tls, STR_EMPTY);
    if (!decipher(p, STR_EMPTY, e))
        return false;
    while (tls_version(p->tls).n == 0)
        if (!read_more(p, e))
            return false;
    return true;
}

static bool
join(struct probe *p, const struct net_address *to, struct err *e)
{
    int trouble = 0;
    socklen_t n = sizeof trouble;
    *p = (struct probe){.fd = net_connect(to, e)};
    if (p->fd < 0)
        return false;
    if (!wait_for(p, POLLOUT, e))
        return false;
    if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &trouble, &n) < 0 ||
        trouble != 0) {
        errno = trouble;
        return err_sys(e, "connect", "server");
    }
    return true;
}

bool
probe_open(struct probe *p, const struct net_address *to,
           struct tls_context *tls, struct err *e)
{
    if (!join(p, to, e) || (tls != NULL && !probe_start_tls(p, tls, e)))
        return false;
    unsigned code = read_reply(p, e);
    if (code == 0 || code == 220)
        return code == 220;
    return err_set(e, "it greets with %u", code);
}

void
probe_close(struct probe *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
    tls_free(p->tls);
    p->tls = NULL;
    buf_fini(&p->in);
    buf_fini(&p->reply);
}

unsigned
probe_say(struct probe *p, const char *line, struct err *e)
{
    struct buf b = {0};
    buf_addf(&b, "%s\r\n", line);
    bool ok = send_all(p, buf_str(&b), e);
    buf_fini(&b);
    return ok ? read_reply(p, e) : 0;
}
