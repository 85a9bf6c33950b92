/* SPDX-License-Identifier: ISC */
/*
 * A reply of a foreign SMTP server (RFC 5321 4.2), gathered line by line from
 * whatever pieces the network delivers, kept whole.
 *
 *     used = smtp_reply_feed(&r, input);
 *     if (r.state == SMTP_REPLY_WHOLE) { use r.code, smtp_reply_text(&r);
 *                                        smtp_reply_next(&r); }
 *
 * A line ends with CR LF and nothing else. What is no reply, or longer than
 * anybody's reply, is BAD for ever: the caller hangs up.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum {
    SMTP_REPLY_LINE_MAX = 4096, /* RFC 5321 4.5.3.1.5 asks for 512 */
    SMTP_REPLY_LINES_MAX = 200,
    SMTP_REPLY_MAX = 32768, /* octets of all lines */
};

enum smtp_reply_state { SMTP_REPLY_PART = 0, SMTP_REPLY_WHOLE, SMTP_REPLY_BAD };

struct smtp_reply {
    enum smtp_reply_state state;
    uint16_t code;       /* of the last line, which is the one that counts */
    const char *problem; /* BAD: why, one sentence */
    struct buf text;     /* the lines, joined by "\n" */
    size_t line_at;      /* where the line being read begins */
    size_t lines;
    bool cr; /* the last octet was a CR, which is not in text */
};

void smtp_reply_fini(struct smtp_reply *r);

/* Octets consumed: up to the end of the reply, else all. Nothing once it is
 * WHOLE or BAD. */
size_t smtp_reply_feed(struct smtp_reply *r, struct str input);

/* All lines with their codes, joined by "\n"; dies at the next feed. */
struct str smtp_reply_text(const struct smtp_reply *r);

/* Nothing of a reply has come yet. */
bool smtp_reply_empty(const struct smtp_reply *r);

/* Ready for the next reply. */
void smtp_reply_next(struct smtp_reply *r);
