/* SPDX-License-Identifier: ISC */
#include "cli/talk.h"

#include "os/net.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An answer is at hand or the server is stuck; LINE_LONGEST is a message's
 * whole content with every octet escaped. */
enum { TIMEOUT_MS = 30 * 1000, LINE_LONGEST = 512 << 20 };

static bool
wait_for(const struct talk *t, short events, struct err *e)
{
    struct pollfd p = {.fd = t->fd, .events = events};
    int n;

    do {
        n = poll(&p, 1, t->timeout_ms);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(e, "poll", "control socket");
    if (n == 0)
        return err_set(e, "the server did not answer within %d seconds",
                       t->timeout_ms / 1000);
    return true;
}

enum talk_result
talk_open(struct talk *t, const struct conf *conf, const char *socket,
          struct err *e)
{
    struct buf path = {0};

    *t = (struct talk){.fd = -1, .timeout_ms = TIMEOUT_MS};
    *e = (struct err){0};
    buf_addf(&path, "%.*s/run/%s", STR_ARG(conf->state), socket);
    t->fd = net_connect_unix(buf_cstr(&path), e);
    buf_fini(&path);
    if (t->fd >= 0)
        return TALK_OPEN;
    return e->code == ENOENT || e->code == ECONNREFUSED || e->code == ENOTDIR
               ? TALK_NO_SERVER
               : TALK_TROUBLE;
}

static bool
send_all(const struct talk *t, struct str bytes, struct err *e)
{
    while (bytes.n > 0) {
        ssize_t n = send(t->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n >= 0)
            bytes = str_from_pos(bytes, (size_t)n);
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for(t, POLLOUT, e))
                return false;
        } else if (errno != EINTR)
            return err_sys(e, "send", "control socket");
    }
    return true;
}

bool
talk_send(struct talk *t, json_t *line, struct err *e)
{
    char *text = json_dumps(line, JSON_COMPACT);
    struct buf b = {0};

    json_decref(line);
    *e = (struct err){0};
    if (text == NULL)
        return err_set(e, "the request is not valid UTF-8");
    buf_addf(&b, "%s\n", text);
    free(text);
    bool ok = send_all(t, buf_str(&b), e);
    buf_fini(&b);
    return ok;
}

/* More octets into t->in; false: the end (e->text is empty) or trouble. */
static bool
read_more(struct talk *t, struct err *e)
{
    enum { STEP = 65536 };

    buf_consume(&t->in, t->used);
    t->used = 0;
    if (t->in.n > LINE_LONGEST)
        return err_set(e, "the server's answer is too long");
    for (;;) {
        ssize_t n = recv(t->fd, buf_reserve(&t->in, STEP), STEP, 0);
        if (n > 0) {
            t->in.n += (size_t)n;
            return true;
        }
        if (n == 0)
            return t->in.n > 0
                       ? err_set(e, "the server's answer ends in mid-line")
                       : false;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for(t, POLLIN, e))
                return false;
        } else if (errno != EINTR)
            return err_sys(e, "recv", "control socket");
    }
}

json_t *
talk_receive(struct talk *t, struct err *e)
{
    size_t looked = 0; /* no line end before this */
    json_error_t why;

    *e = (struct err){0};
    for (;;) {
        struct str rest = str_from_pos(buf_str(&t->in), t->used);
        ssize_t end = str_find_char(str_from_pos(rest, looked), '\n');
        if (end >= 0) {
            size_t n = looked + (size_t)end;
            t->used += n + 1;
            json_t *line = json_loadb(rest.p, n, 0, &why);
            if (line == NULL)
                (void)err_set(e, "the server's answer is not JSON: %s",
                              why.text);
            return line;
        }
        looked = rest.n;
        if (!read_more(t, e))
            return NULL;
    }
}

void
talk_close(struct talk *t)
{
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
    buf_fini(&t->in);
}
