/* SPDX-License-Identifier: ISC */
/*
 * What a process that was taken over may write into a pipe to another one.
 * The octets come in pieces, whose sizes the first octet decides; the reader
 * must get whole frames, or the end, and lose nothing.
 */
#include <assert.h>
#include <stdint.h>
#include <unistd.h>

#include "os/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct reader {
    struct loop *loop;
    size_t octets; /* of whole frames, headers included */
    bool ended;
};

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct reader *r = ctx;
    assert(fd < 0); // none was sent
    r->octets += 5 + frame.n;
}

static void
on_end(void *ctx)
{
    struct reader *r = ctx;
    r->ended = true;
    loop_stop(r->loop);
}

static struct loop *
shared_loop(void)
{
    static struct loop *l;
    if (l == NULL)
        l = loop_new();
    return l;
}

struct writer {
    struct loop *loop;
    int fd;
    const uint8_t *data;
    size_t n, piece;
};

/* Closes behind the last piece, which ends the reader. */
static void
on_write(void *ctx)
{
    struct writer *w = ctx;
    if (w->fd < 0)
        return;
    size_t n = w->n < w->piece ? w->n : w->piece;
    ssize_t sent = n > 0 ? write(w->fd, w->data, n) : 0;
    if (n == 0 || sent < 0) {
        (void)close(w->fd);
        w->fd = -1;
        return;
    }
    w->data += sent;
    w->n -= (size_t)sent;
    loop_again(w->loop);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct writer w;
    static bool hooked;
    struct reader r = {.loop = shared_loop()};
    int fds[2];

    if (n < 1 || n > 100000 || !channel_pair(fds))
        return 0;
    struct channel *c = channel_new(r.loop, fds[0], on_frame, on_end, &r);
    w = (struct writer){.loop = r.loop,
                        .fd = fds[1],
                        .data = data + 1,
                        .n = n - 1,
                        .piece = data[0] == 0 ? n : data[0]};
    if (!hooked)
        loop_at_turn_end(r.loop, on_write, &w);
    hooked = true;
    loop_run(r.loop);
    assert(r.ended && r.octets <= n - 1);
    channel_free(c);
    if (w.fd >= 0)
        (void)close(w.fd);
    w.fd = -1;
    return 0;
}
