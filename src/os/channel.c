/* SPDX-License-Identifier: ISC */
/*
 * On the wire a frame is its length (u32, little-endian), one octet of flags
 * and its octets. Descriptors travel beside the octets, in order, at the
 * latest with the first octet of the write that carries their frame; a frame
 * with FLAG_FD takes the oldest one that came.
 */
#include "os/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/math.h"
#include "base/wire.h"
#include "os/loop_internal.h"

enum {
    HEADER = 5,
    FLAG_FD = 1,
    FDS_AT_ONCE = 64,   /* in one sendmsg(); the kernel's limit is 253 */
    FDS_UNCLAIMED = 256 /* that came before their frames */
};

/* A descriptor on its way out; end: where its frame ends in `out`. */
struct passing {
    int fd;
    size_t end;
};

struct channel {
    struct loop *loop;
    struct watch *watch;
    int fd;
    channel_frame_fn on_frame;
    channel_end_fn on_end;
    void *ctx;
    struct deferred flush;
    bool secret; /* buffers are wiped */
    bool busy;   /* a callback runs: memory must stay */
    bool freed;  /* inside it */
    bool broken; /* nothing can be sent any more */
    bool ended;  /* on_end was called */

    struct buf out;
    struct passing *passing;
    size_t n_passing;

    struct buf in; /* a frame that has not come whole */
    int *claims;   /* descriptors whose frame has not come whole */
    size_t n_claims;
};

static void
discard(struct channel *c, struct buf *b)
{
    if (c->secret)
        buf_wipe(b);
    else
        buf_fini(b);
}

/* buf_consume() moves what is left to the front. */
static void
consume(struct channel *c, struct buf *b, size_t n)
{
    size_t before = b->n;
    buf_consume(b, n);
    if (c->secret)
        alloc_wipe(b->p + b->n, before - b->n);
}

/* buf_reserve() may move the octets and leave the old ones where they were. */
static char *
reserve(struct channel *c, struct buf *b, size_t n)
{
    if (c->secret && b->p != NULL && b->cap - b->n < n) {
        struct buf larger = {0};
        (void)buf_reserve(&larger, 2 * (b->n + n));
        buf_add(&larger, buf_str(b));
        discard(c, b);
        *b = larger;
    }
    return buf_reserve(b, n);
}

static void
set_non_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void
drop_output(struct channel *c)
{
    for (size_t i = 0; i < c->n_passing; i++)
        (void)close(c->passing[i].fd);
    c->n_passing = 0;
    discard(c, &c->out);
}

static void
release(struct channel *c)
{
    free(c->passing);
    free(c->claims);
    free(c);
}

void
channel_free(struct channel *c)
{
    if (c == NULL || c->freed)
        return;
    c->freed = true;
    loop_withdraw(&c->flush);
    watch_free(c->watch);
    (void)close(c->fd);
    drop_output(c);
    discard(c, &c->in);
    for (size_t i = 0; i < c->n_claims; i++)
        (void)close(c->claims[i]);
    c->n_claims = 0;
    if (!c->busy)
        release(c);
}

/* Sending */

/* How much of the output may go in one write: all, unless it has more
 * descriptors than fit. */
static size_t
sendable(const struct channel *c)
{
    return c->n_passing > FDS_AT_ONCE ? c->passing[FDS_AT_ONCE - 1].end
                                      : c->out.n;
}

static ssize_t
send_some(struct channel *c, size_t *fds_sent)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(FDS_AT_ONCE * sizeof(int))];
    } control = {0};
    int fds[FDS_AT_ONCE];
    struct iovec part = {.iov_base = c->out.p, .iov_len = sendable(c)};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    size_t n = math_min(c->n_passing, FDS_AT_ONCE);

    *fds_sent = n;
    if (n > 0) {
        for (size_t i = 0; i < n; i++)
            fds[i] = c->passing[i].fd;
        m.msg_control = control.room;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *h = &control.align;
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(h), fds, n * sizeof(int));
    }
    return sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
forget_sent(struct channel *c, size_t octets, size_t fds)
{
    for (size_t i = 0; i < fds; i++)
        (void)close(c->passing[i].fd);
    c->n_passing -= fds;
    for (size_t i = 0; i < c->n_passing; i++) {
        c->passing[i] = c->passing[i + fds];
        c->passing[i].end -= octets;
    }
    consume(c, &c->out, octets);
}

/* A failure to send is not the end: what the peer said before it went is
 * still to be read, and reading will find the end. */
static void
flush_output(struct channel *c)
{
    while (c->out.n > 0) {
        size_t fds;
        ssize_t n = send_some(c, &fds);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0) {
            c->broken = true;
            drop_output(c);
            break;
        }
        forget_sent(c, (size_t)n, fds);
    }
    if (c->out.n == 0)
        discard(c, &c->out);
    if (!c->ended)
        watch_want(c->watch, c->out.n > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static void
on_flush(struct deferred *d)
{
    struct channel *c =
        (struct channel *)((char *)d - offsetof(struct channel, flush));
    flush_output(c);
}

static void
queue_frame(struct channel *c, struct str frame, uint8_t flags)
{
    assert(frame.n <= CHANNEL_MAX);
    (void)reserve(c, &c->out, HEADER + frame.n);
    wire_add_u32(&c->out, (uint32_t)frame.n);
    wire_add_u8(&c->out, flags);
    buf_add(&c->out, frame);
    loop_defer_flush(c->loop, &c->flush);
}

void
channel_keep_secret(struct channel *c)
{
    c->secret = true;
}

void
channel_send(struct channel *c, struct str frame)
{
    if (!c->broken && !c->ended)
        queue_frame(c, frame, 0);
}

void
channel_send_fd(struct channel *c, struct str frame, int fd)
{
    if (c->broken || c->ended)
        return;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) { // out of descriptors: the peer must not miss a frame
        c->broken = true;
        (void)shutdown(c->fd, SHUT_RDWR);
        return;
    }
    queue_frame(c, frame, FLAG_FD);
    c->passing =
        alloc_resize(c->passing, (c->n_passing + 1) * sizeof *c->passing);
    c->passing[c->n_passing++] = (struct passing){copy, c->out.n};
}

size_t
channel_backlog(const struct channel *c)
{
    return c->out.n;
}

/* Receiving */

static void
end(struct channel *c)
{
    if (c->ended)
        return;
    c->ended = true;
    watch_want(c->watch, 0);
    drop_output(c);
    loop_withdraw(&c->flush);
    c->on_end(c->ctx);
}

static bool
keep_descriptors(struct channel *c, struct msghdr *m)
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL;
         h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        c->claims =
            alloc_resize(c->claims, (c->n_claims + n) * sizeof *c->claims);
        memcpy(c->claims + c->n_claims, CMSG_DATA(h), n * sizeof(int));
        c->n_claims += n;
    }
    return (m->msg_flags & MSG_CTRUNC) == 0 && c->n_claims <= FDS_UNCLAIMED;
}

static int
claim(struct channel *c)
{
    int fd = c->claims[0];
    c->n_claims--;
    memmove(c->claims, c->claims + 1, c->n_claims * sizeof *c->claims);
    return fd;
}

/* The whole frames at the front of *in, each to on_frame. false: the channel
 * ended, by a bad frame or because on_frame freed it. */
static bool
deliver(struct channel *c, struct str *in)
{
    while (in->n >= HEADER) {
        struct wire w = wire_from(*in);
        size_t n = wire_u32(&w);
        uint8_t flags = wire_u8(&w);
        if (n > CHANNEL_MAX || flags > FLAG_FD ||
            (flags == FLAG_FD && c->n_claims == 0)) {
            end(c);
            return false;
        }
        if (in->n - HEADER < n)
            return true;
        struct str frame = {in->p + HEADER, n};
        *in = str_from_pos(*in, HEADER + n);
        c->on_frame(c->ctx, frame, flags == FLAG_FD ? claim(c) : -1);
        if (c->freed)
            return false;
    }
    return true;
}

/* Room for the next read: behind the unfinished frame, or the loop's. */
static struct iovec
read_room(struct channel *c)
{
    if (c->in.n == 0)
        return (struct iovec){loop_read_buffer(c->loop), LOOP_READ_MAX};
    return (struct iovec){reserve(c, &c->in, LOOP_READ_MAX), LOOP_READ_MAX};
}

static void
take(struct channel *c, struct iovec part, size_t n)
{
    struct str in = {part.iov_base, n};
    bool kept = c->in.n > 0;
    if (kept) {
        c->in.n += n;
        in = buf_str(&c->in);
    }
    size_t before = in.n;
    if (!deliver(c, &in))
        return;
    if (kept) {
        consume(c, &c->in, before - in.n);
    } else if (in.n > 0) {
        (void)reserve(c, &c->in, in.n);
        buf_add(&c->in, in);
    }
    if (c->in.n == 0)
        discard(c, &c->in);
}

static void
fill(struct channel *c)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(FDS_AT_ONCE * sizeof(int))];
    } control;
    struct iovec part = read_room(c);
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    ssize_t n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == EWOULDBLOCK))
        return;
    bool secret = c->secret && part.iov_base == loop_read_buffer(c->loop);
    if (n <= 0 || !keep_descriptors(c, &m))
        end(c);
    else
        take(c, part, (size_t)n);
    if (secret && n > 0)
        alloc_wipe(part.iov_base, (size_t)n);
}

static void
on_ready(void *ctx, unsigned ready)
{
    struct channel *c = ctx;
    c->busy = true;
    if (ready & LOOP_WRITE)
        flush_output(c);
    if (ready & LOOP_READ)
        fill(c);
    c->busy = false;
    if (c->freed)
        release(c);
}

struct channel *
channel_new(struct loop *l, int fd, channel_frame_fn on_frame,
            channel_end_fn on_end, void *ctx)
{
    struct channel *c = alloc_zero(sizeof *c);
    set_non_blocking(fd);
    c->loop = l;
    c->fd = fd;
    c->on_frame = on_frame;
    c->on_end = on_end;
    c->ctx = ctx;
    c->flush.fn = on_flush;
    c->watch = watch_new(l, fd, on_ready, c);
    watch_want(c->watch, LOOP_READ);
    return c;
}

bool
channel_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0;
}
