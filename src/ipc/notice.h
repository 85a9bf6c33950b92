/* SPDX-License-Identifier: ISC */
/*
 * queue <-> notify: a notice is owed. notify gets the octets of the one
 * message it is about (a sealed memfd) and nothing else; what it writes enters
 * by the same door as everybody's mail and carries `key`.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "mail/envelope.h"
#include "mail/verdict.h"

enum notice_type {
    NOTICE_MSG_NONE = 0,
    NOTICE_MSG_OWED,     /* queue -> notify, + fd: the original's content */
    NOTICE_MSG_DECLINED, /* notify -> queue: none is due, and why */
};

struct notice_rcpt {
    struct str address; /* the recipient as accepted (an alias's own name) */
    struct str final;   /* what it became, when an alias was expanded; of an
                           autoreply: the account's address key */
    struct str orcpt;
    struct verdict verdict;
    uint32_t attempts;
    int64_t last_attempt_ms;
};

struct notice_msg {
    enum notice_type type;
    struct str key;
    unsigned kind; /* one NOTICE_* of spool/spool.h */
    struct msgid original;
    bool headers_only; /* the memfd ends with the header section: RET=HDRS,
                          or an original too large to return whole */
    struct envelope envelope; /* of the original; rcpts unused */
    struct notice_rcpt *rcpts;
    size_t n_rcpts;
    struct str why; /* DECLINED */
};

void notice_encode(struct buf *to, const struct notice_msg *m);
bool notice_decode(struct arena *a, struct str frame, struct notice_msg *m);
