/* SPDX-License-Identifier: ISC */
/*
 * The receiving side of one SMTP conversation: RFC 5321 with SIZE (1870),
 * enhanced status codes (2034), PIPELINING (2920), CHUNKING and BINARYMIME
 * (3030), STARTTLS (3207), DSN (3461), AUTH (4954), 8BITMIME (6152), SMTPUTF8
 * (6531) and LIMITS (9422).
 *
 * A machine, not a server: bytes go in, events and replies come out. It has no
 * socket, no clock, no policy. A driver is one loop:
 *
 *     do {
 *         used = smtp_server_feed(&m, input, &ev); // at most one event
 *         ... drop `used` octets from the input, act on ev: one of
 *         smtp_server_accept(&m, detail);
 *         smtp_server_refuse(&m, reply);
 *         smtp_server_challenge(&m, bytes);        // AUTH only
 *         ... write smtp_server_output(&m), smtp_server_sent(&m, n)
 *     } while (used > 0 || ev.type != SMTP_EVENT_NONE);
 *
 * While an event waits for its answer nothing is consumed. A command line that
 * is not whole yet is not consumed either, so the machine keeps no input; one
 * above its limit is answered at once, and the rest of it is read over. Reply
 * order, pipelining and back-pressure follow from these rules.
 */
#pragma once

#include "base/buf.h"
#include "proto/smtp/parse.h"
#include "proto/smtp/scan.h"

enum smtp_event_type {
    SMTP_EVENT_NONE = 0, /* nothing to decide; feed more */

    /* These wait for an answer. */
    SMTP_EVENT_HELLO,         /* name, esmtp; ends a transaction */
    SMTP_EVENT_STARTTLS,      /* accept: then flush, drop all input, put TLS
                                 underneath, smtp_server_tls_started() */
    SMTP_EVENT_AUTH,          /* mechanism, bytes if has_bytes */
    SMTP_EVENT_AUTH_RESPONSE, /* bytes */
    SMTP_EVENT_SENDER,        /* mail */
    SMTP_EVENT_RECIPIENT,     /* rcpt */
    SMTP_EVENT_CONTENT,       /* may it come? */
    SMTP_EVENT_END, /* flaw, size, dots; accept only what is durable and
                       has no flaw */

    /* These do not. */
    SMTP_EVENT_AUTH_END, /* the client gave up, or spoke no base 64 */
    SMTP_EVENT_RESET,    /* the transaction is over, forget it */
    SMTP_EVENT_BODY,     /* bytes: content, dots removed */
    SMTP_EVENT_CLOSE,    /* flush the output, then hang up */
};

/* What is wrong with a whole message; the first that applies. */
enum smtp_flaw {
    SMTP_FLAW_NONE = 0,
    SMTP_FLAW_BARE, /* a CR or LF alone */
    SMTP_FLAW_TOO_LARGE,
    SMTP_FLAW_LONG_LINE,
};

/* Slices borrow from the input (AUTH: from the machine) and die at the answer
 * or at the next feed. */
struct smtp_event {
    enum smtp_event_type type;
    struct str name;
    bool esmtp;
    struct str mechanism, bytes;
    bool has_bytes;
    struct smtp_mail mail;
    struct smtp_rcpt rcpt;
    enum smtp_flaw flaw;
    uint64_t size;
    bool dots;   /* END: some line begins with a dot */
    bool secret; /* what was consumed may hold a password: overwrite it */
};

/* Borrowed for the machine's life, shared by many. */
struct smtp_server_options {
    struct str hostname;
    struct str mechanisms; /* "PLAIN LOGIN"; empty: no AUTH */
    bool starttls;
    uint64_t max_size;
    uint32_t max_recipients; /* what the driver will take; 0: not said */
    uint32_t max_errors;     /* refusals without an accepted message between */
    int64_t command_timeout_ms, data_timeout_ms;
};

enum smtp_state {
    SMTP_START = 0, /* no EHLO or HELO yet */
    SMTP_READY,
    SMTP_MAIL,
    SMTP_RCPT,    /* a recipient was accepted */
    SMTP_CHUNKED, /* between two BDAT */
    SMTP_CHUNK,   /* within one */
    SMTP_DATA,
    SMTP_AUTH, /* a challenge was sent */
    SMTP_TLS,  /* 220 was said, what comes in clear is dropped */
    SMTP_CLOSED,
};

/* Plain, so that it can lie inside a session; the members are the machine's
 * own, but for reading: state, tls, esmtp, logged_in, quit; and forgiving. */
struct smtp_server {
    const struct smtp_server_options *options;
    bool tls, esmtp, logged_in;
    bool quit;      /* the client said so: it sends nothing more */
    bool forgiving; /* set by the driver: what it refuses is not counted, only
                       what the machine itself does */

    enum smtp_state state;
    enum smtp_event_type asked; /* the event that waits for its answer */
    struct buf out;
    struct buf kept; /* AUTH: the client's octets; a chunk: its reply */
    struct smtp_scan scan;
    uint64_t size;  /* of the content so far */
    uint64_t chunk; /* octets of this BDAT still to come */
    uint32_t errors;
    bool smtputf8;    /* of the transaction */
    bool binary;      /* of the transaction: BODY=BINARYMIME */
    bool had_rcpt;    /* one was tried */
    bool spurned;     /* MAIL was refused, or a RCPT since; what a client that
                         pipelines said behind it is no new error of its */
    bool overlong;    /* reading over the rest of a line that is too long */
    bool chunked;     /* the content comes by BDAT */
    bool chunk_last;  /* this BDAT said LAST */
    bool chunk_waste; /* this chunk is read over, `kept` answers it, and the
                         state goes back to `back` */
    bool chunk_innocent; /* that answer is not counted */
    enum smtp_state back;
};

/* The greeting is in the output afterwards. tls: there from the start. */
void smtp_server_init(struct smtp_server *m,
                      const struct smtp_server_options *options, bool tls);
void smtp_server_fini(struct smtp_server *m);

/* Octets consumed. */
size_t smtp_server_feed(struct smtp_server *m, struct str input,
                        struct smtp_event *event);

/* detail: after END "250 2.0.0 DETAIL". */
void smtp_server_accept(struct smtp_server *m, struct str detail);

/* A whole reply, CRLF included, with a 4xx or 5xx code; 421 ends it all. */
void smtp_server_refuse(struct smtp_server *m, struct str reply);

/* AUTH goes on: 334 with these octets. */
void smtp_server_challenge(struct smtp_server *m, struct str bytes);

/* All anew from EHLO on (RFC 3207, 4.2). */
void smtp_server_tls_started(struct smtp_server *m);

/* The server ends it: a whole 421 reply. */
void smtp_server_close(struct smtp_server *m, struct str reply);

/* Milliseconds without input after which the driver should close; INT64_MAX
 * while it is not the client's turn. */
int64_t smtp_server_patience(const struct smtp_server *m);

struct str smtp_server_output(const struct smtp_server *m);
void smtp_server_sent(struct smtp_server *m, size_t n);
