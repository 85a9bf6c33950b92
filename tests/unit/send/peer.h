/* SPDX-License-Identifier: ISC */
/*
 * A mail server as a test wishes it, on the test's own loop: it answers by a
 * few rules and counts what happens to it.
 */
#pragma once

#include "os/conn.h"
#include "os/loop.h"
#include "os/tls.h"

/* A recipient whose local part begins with "no" is refused, with "later"
 * deferred. */
struct peer {
    /* What it shall do. */
    const char *greeting;    /* NULL: 220 */
    const char *end_reply;   /* to the final dot; NULL: 250 */
    struct tls_context *tls; /* offers STARTTLS */
    bool breaks_tls;         /* offers it, and then talks nonsense */
    bool hangs_up_at_hello;  /* the same, at the client's first octets of TLS */
    bool wants_login;
    size_t rcpts_max;      /* of a transaction, then 452; 0: any number */
    size_t hang_up_after;  /* closes when the n-th message has been taken */
    size_t hang_up_before; /* closes instead of answering the n-th MAIL */
    bool hang_up_at_end;   /* closes instead of answering the final dot */
    bool slow;             /* reads little at a time */

    /* What happened. */
    size_t connections, tls_handshakes, logins, messages, mails, open;
    size_t most_open; /* at once */
    size_t octets;    /* of content, dots removed */
    struct buf last;  /* the last message */
    struct buf rcpts; /* of the last message, each followed by a blank */

    struct loop *loop;
    int listener;
    uint16_t port; /* on 127.0.0.1 */
    struct watch *watch;
    struct visitor *visitors;
};

void peer_open(struct peer *p, struct loop *l);
void peer_close(struct peer *p);
