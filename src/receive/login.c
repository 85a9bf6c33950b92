/* SPDX-License-Identifier: ISC */
#include "receive/login.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/channel.h"
#include "os/log.h"

struct login_question {
    struct login_desk *desk;
    struct login_question *next, *prev;
    uint64_t seq;
    bool exchange; /* directory waits for what the client says */
    login_fn fn;
    void *ctx;
};

struct login_desk {
    struct loop *loop;
    struct channel *directory; /* NULL: away */
    struct login_question *open;
    uint64_t seq;
    login_ledger_fn on_ledger;
    void *ctx;
};

struct login_desk *
login_desk_new(struct loop *l, login_ledger_fn on_ledger, void *ctx)
{
    struct login_desk *d = alloc_zero(sizeof *d);
    d->loop = l;
    d->on_ledger = on_ledger;
    d->ctx = ctx;
    return d;
}

void
login_desk_free(struct login_desk *d)
{
    if (d == NULL)
        return;
    channel_free(d->directory);
    free(d);
}

static void
say(struct login_desk *d, const struct login_msg *m)
{
    struct buf frame = {0};
    // No copy of a password is left behind by growing.
    (void)buf_reserve(&frame, 256 + m->user.n + m->password.n + m->client.n +
                                  m->session.n + m->bytes.n);
    login_encode(&frame, m);
    channel_send(d->directory, buf_str(&frame));
    buf_wipe(&frame);
}

static void
close_question(struct login_question *q)
{
    if (q->prev != NULL)
        q->prev->next = q->next;
    else
        q->desk->open = q->next;
    if (q->next != NULL)
        q->next->prev = q->prev;
    free(q);
}

void
login_cancel(struct login_question *q)
{
    if (q == NULL)
        return;
    if (q->exchange && q->desk->directory != NULL)
        say(q->desk, &(struct login_msg){.type = LOGIN_FORGET, .seq = q->seq});
    close_question(q);
}

static void
answer(struct login_question *q, const struct login_msg *m)
{
    login_fn fn = q->fn;
    void *ctx = q->ctx;
    if (m->type == LOGIN_ANSWER)
        close_question(q);
    fn(ctx, m);
}

/* Answers may open new questions: those find no channel and are not listed. */
static void
detach(struct login_desk *d)
{
    channel_free(d->directory);
    d->directory = NULL;
    while (d->open != NULL)
        answer(d->open, &(struct login_msg){.type = LOGIN_ANSWER,
                                            .result = LOGIN_TROUBLE});
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct login_desk *d = ctx;
    struct login_msg m;
    bool decoded = login_decode(frame, &m);
    if (decoded && fd >= 0 && m.type == LOGIN_LEDGER) {
        d->on_ledger(d->ctx, fd);
        return;
    }
    bool ok = decoded && fd < 0 &&
              (m.type == LOGIN_ANSWER || m.type == LOGIN_CHALLENGE);
    if (fd >= 0)
        (void)close(fd);
    struct login_question *q = d->open;
    while (ok && q != NULL && q->seq != m.seq)
        q = q->next;
    if (!ok || (q != NULL && m.type == LOGIN_CHALLENGE && !q->exchange)) {
        log_error("directory sent something that is no answer to a login");
        detach(d);
        return;
    }
    if (q != NULL) // else it was cancelled
        answer(q, &m);
}

static void
on_end(void *ctx)
{
    detach(ctx);
}

void
login_desk_attach(struct login_desk *d, int fd)
{
    detach(d);
    d->directory = channel_new(d->loop, fd, on_frame, on_end, d);
    channel_keep_secret(d->directory);
}

struct login_question *
login_ask(struct login_desk *d, const struct login_msg *m, login_fn fn,
          void *ctx)
{
    if (d->directory == NULL)
        return NULL;
    struct login_question *q = alloc_zero(sizeof *q);
    *q = (struct login_question){.desk = d,
                                 .next = d->open,
                                 .seq = ++d->seq,
                                 .exchange = m->type == LOGIN_START,
                                 .fn = fn,
                                 .ctx = ctx};
    if (d->open != NULL)
        d->open->prev = q;
    d->open = q;
    struct login_msg copy = *m;
    copy.seq = q->seq;
    say(d, &copy);
    return q;
}

void
login_respond(struct login_question *q, struct str bytes)
{
    say(q->desk, &(struct login_msg){
                     .type = LOGIN_RESPONSE, .seq = q->seq, .bytes = bytes});
}
