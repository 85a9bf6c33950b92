/* SPDX-License-Identifier: ISC */
/*
 * What became of one recipient in one attempt: a value, never errno. Made by
 * send and mailbox (or by queue itself), kept in the spool, spoken of in logs
 * and notices.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* Enhanced status code, RFC 3463; klass 0: none. */
struct status {
    uint8_t klass; /* 2, 4 or 5 */
    uint16_t subject, detail;
};

enum outcome {
    OUTCOME_NONE = 0,  /* not tried: the job comes back as it was */
    OUTCOME_DELIVERED, /* in the mailbox */
    OUTCOME_RELAYED,   /* another host has taken it */
    OUTCOME_LATER,     /* a temporary failure */
    OUTCOME_REFUSED,   /* a permanent one */
};

/* The reason of RELAYED where that host promises no reports (it does not offer
 * DSN); no reason of the catalogue, it refuses nothing. */
#define VERDICT_NO_DSN "no-dsn"

struct verdict {
    enum outcome outcome;
    uint16_t code;        /* the reply's code, 0: there was no reply */
    struct status status; /* as said by the reply, or klass 0 */
    struct str reason;    /* our catalogue id when we judged, else empty */
    struct str text;      /* the remote's reply, all lines with their codes,
                             joined by "\n"; or our own sentence */
    struct str remote;    /* "mx.example.net [192.0.2.7]:25", or empty */
    struct str command;   /* what it answered: "RCPT TO", "end of data", … */
};

void verdict_encode(struct buf *to, const struct verdict *v);
/* Slices borrow from bytes. */
bool verdict_decode(struct str bytes, struct verdict *v);
/* A copy whose slices live in the arena. */
struct verdict verdict_dup(struct arena *a, const struct verdict *v);

/* "5.1.1"; empty for klass 0. out has room for 16. */
struct str status_format(struct status s, char out[16]);

/* The enhanced code in the first line of a reply: leading "5.x.y", leading
 * "#5.x.y", or "(#5.x.y)" anywhere; klass 0 without one. The text may begin
 * with the three-digit code. */
struct status status_find(struct str reply);
