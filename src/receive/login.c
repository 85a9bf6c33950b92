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
    login_fn fn;
    void *ctx;
};

struct login_desk {
    struct loop *loop;
    struct channel *directory; /* NULL: away */
    struct login_question *open;
    uint64_t seq;
};

struct login_desk *
login_desk_new(struct loop *l)
{
    struct login_desk *d = alloc_zero(sizeof *d);
    d->loop = l;
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

void
login_cancel(struct login_question *q)
{
    if (q == NULL)
        return;
    if (q->prev != NULL)
        q->prev->next = q->next;
    else
        q->desk->open = q->next;
    if (q->next != NULL)
        q->next->prev = q->prev;
    free(q);
}

static void
answer(struct login_question *q, enum login_result result, struct str account)
{
    login_fn fn = q->fn;
    void *ctx = q->ctx;
    login_cancel(q);
    fn(ctx, result, account);
}

/* Answers may open new questions: those find no channel and are not listed. */
static void
detach(struct login_desk *d)
{
    channel_free(d->directory);
    d->directory = NULL;
    while (d->open != NULL)
        answer(d->open, LOGIN_TROUBLE, STR_EMPTY);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct login_desk *d = ctx;
    struct login_msg m;
    if (fd >= 0)
        (void)close(fd);
    if (!login_decode(frame, &m) || m.type != LOGIN_ANSWER || fd >= 0) {
        log_error("directory sent something that is no answer to a login");
        detach(d);
        return;
    }
    struct login_question *q = d->open;
    while (q != NULL && q->seq != m.seq)
        q = q->next;
    if (q != NULL) // else it was cancelled
        answer(q, m.result, m.account);
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
}

struct login_question *
login_ask(struct login_desk *d, struct str user, struct str password,
          struct str client, struct str session, login_fn fn, void *ctx)
{
    struct buf frame = {0};
    if (d->directory == NULL)
        return NULL;
    struct login_question *q = alloc_zero(sizeof *q);
    *q = (struct login_question){
        .desk = d, .next = d->open, .seq = ++d->seq, .fn = fn, .ctx = ctx};
    if (d->open != NULL)
        d->open->prev = q;
    d->open = q;
    (void)buf_reserve(&frame, 256 + user.n + password.n);
    login_encode(&frame, &(struct login_msg){.type = LOGIN_ASK,
                                             .seq = q->seq,
                                             .user = user,
                                             .password = password,
                                             .client = client,
                                             .session = session});
    channel_send(d->directory, buf_str(&frame));
    alloc_wipe(frame.p, frame.cap);
    buf_fini(&frame);
    return q;
}
