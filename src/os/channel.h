/* SPDX-License-Identifier: ISC */
/*
 * A pipe between two of our processes: whole frames in order, each with at
 * most one descriptor, over a UNIX stream socket.
 *
 * Sending never blocks and never fails: frames gather and leave at the end of
 * the loop turn in one write. The peer is treated as the network is: a frame
 * above CHANNEL_MAX ends the channel.
 */
#pragma once

#include "base/str.h"
#include "os/loop.h"

enum { CHANNEL_MAX = 16 << 20 }; /* octets of one frame */

struct channel;

/* frame lives until the callback returns; fd is -1 or the callee's to close.
 * The channel may be freed inside the callback. */
typedef void (*channel_frame_fn)(void *ctx, struct str frame, int fd);

/* The peer has gone (or spoke garbage). Called once; free it then or later. */
typedef void (*channel_end_fn)(void *ctx);

/* Takes ownership of fd, which becomes non-blocking. */
struct channel *channel_new(struct loop *l, int fd, channel_frame_fn on_frame,
                            channel_end_fn on_end, void *ctx);
void channel_free(struct channel *c);

void channel_send(struct channel *c, struct str frame);

/* fd is duplicated; the caller keeps its own. */
void channel_send_fd(struct channel *c, struct str frame, int fd);

/* What passes is wiped from memory behind it: for pipes that carry passwords.
 * To be called right after channel_new(). */
void channel_keep_secret(struct channel *c);

/* Octets not yet taken by the kernel, for back-pressure. */
size_t channel_backlog(const struct channel *c);

/* Two connected ends, close-on-exec. */
bool channel_pair(int fds[2]);
