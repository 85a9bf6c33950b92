/* SPDX-License-Identifier: ISC */
/*
 * The envelope: who a message is from and for, as said in the SMTP dialogue,
 * with the DSN parameters (RFC 3461) and how it came to us. It travels with
 * the message through the whole house and is written into its spool record.
 *
 * Addresses are without angle brackets, with the client's own case; the null
 * reverse-path is the empty string. Slices borrow from whatever the envelope
 * was built in (a session's arena, a record read from disk).
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* NOTIFY= of RFC 3461 4.1, or-ed. */
enum {
    NOTIFY_DEFAULT = 0, /* not given: failure, and delay as we like */
    NOTIFY_NEVER = 1,
    NOTIFY_SUCCESS = 2,
    NOTIFY_FAILURE = 4,
    NOTIFY_DELAY = 8,
};

enum dsn_ret { DSN_RET_DEFAULT = 0, DSN_RET_FULL, DSN_RET_HDRS };
enum body_type { BODY_7BIT = 0, BODY_8BITMIME, BODY_BINARYMIME };

struct recipient {
    struct str address;
    struct str orcpt; /* ORCPT= as sent, xtext and all; empty: not given */
    unsigned notify;
};

struct envelope {
    struct str sender;
    struct str envid; /* ENVID= as sent; empty: not given */
    enum dsn_ret ret;
    enum body_type body;
    bool smtputf8;

    struct recipient *rcpts;
    size_t n_rcpts;

    /* How it came: for the log, for notices, for `queue show`. */
    int64_t arrived_ms;   /* wall clock */
    struct str client;    /* address of the client, "192.0.2.1" */
    struct str helo;      /* its EHLO/HELO name */
    struct str auth_user; /* the account logged in as, or empty */
    struct str protocol;  /* "SMTP", "ESMTPSA", … (RFC 3848) */
    struct str session;   /* session id in our log */

    /* A notice of ours carries the key of what it answers (spool/spool.h). */
    struct str notice;
};

void envelope_encode(struct buf *to, const struct envelope *e);

/* false: not an envelope. Slices borrow from bytes, rcpts from the arena. */
bool envelope_decode(struct arena *a, struct str bytes, struct envelope *e);
