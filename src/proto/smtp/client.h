/* SPDX-License-Identifier: ISC */
/*
 * The sending side of an SMTP connection (RFC 5321), from the greeting to
 * QUIT, with any number of messages in between.
 *
 * A machine: replies go in, events and commands come out. It has no socket, no
 * clock and knows no route. A driver is one loop:
 *
 *     used = smtp_client_feed(&m, now, input, &ev);
 *     switch (ev) {
 *     case SMTP_CLIENT_START_TLS: ... smtp_client_tls_started(&m, now);
 *     case SMTP_CLIENT_READY:     ... smtp_client_begin(&m, now, &env, ...);
 *     case SMTP_CLIENT_CONTENT:   ... smtp_client_content(&m, bytes) ...
 *                                     smtp_client_content_end(&m, now);
 *     case SMTP_CLIENT_DONE:      ... m.verdicts[i] for each recipient
 *     case SMTP_CLIENT_CLOSE:     ... m.failed, hang up
 *     }
 *     write(fd, smtp_client_output(&m)); smtp_client_sent(&m, now, n);
 *
 * until nothing is consumed and ev is SMTP_CLIENT_NEED_INPUT. Each recipient
 * gets exactly one verdict per transaction, whatever happens. A connection
 * that breaks after the final dot and before its answer makes them LATER: the
 * message may then arrive twice, which is the smaller evil (RFC 1047).
 */
#pragma once

#include "base/arena.h"
#include "base/time.h"
#include "mail/envelope.h"
#include "mail/verdict.h"
#include "proto/smtp/reply_parse.h"

enum smtp_client_tls {
    SMTP_TLS_NEVER = 0,
    SMTP_TLS_MAY,  /* when offered; without it in clear */
    SMTP_TLS_MUST, /* or nothing is sent, not even the password */
};

/* Borrowed for the machine's life. */
struct smtp_client_options {
    struct str helo;
    struct str remote; /* copied into verdicts: "mx.example [192.0.2.7]:25" */
    enum smtp_client_tls tls;
    struct str user, password; /* log in, under TLS only; empty: do not */
    int64_t command_timeout_ms, data_timeout_ms;
};

enum smtp_client_event {
    SMTP_CLIENT_NEED_INPUT = 0,
    SMTP_CLIENT_START_TLS, /* flush, put TLS underneath, then say so */
    SMTP_CLIENT_READY,     /* begin a message, or wait, or quit */
    SMTP_CLIENT_CONTENT,   /* the peer waits for the content */
    SMTP_CLIENT_DONE,      /* verdicts are there; they die at begin or fini */
    SMTP_CLIENT_CLOSE,     /* flush, then hang up; `failed` says why, if so */
};

enum smtp_client_state {
    SMTP_CLIENT_GREETING = 0,
    SMTP_CLIENT_EHLO,
    SMTP_CLIENT_HELO,
    SMTP_CLIENT_STARTTLS,
    SMTP_CLIENT_HANDSHAKE,
    SMTP_CLIENT_AUTH_PLAIN,
    SMTP_CLIENT_AUTH_LOGIN, /* waits for "Username:" */
    SMTP_CLIENT_AUTH_USER,  /* waits for "Password:" */
    SMTP_CLIENT_AUTH_PASSWORD,
    SMTP_CLIENT_IDLE,
    SMTP_CLIENT_ENVELOPE, /* RSET, MAIL, RCPT, DATA */
    SMTP_CLIENT_BODY,
    SMTP_CLIENT_DOT,
    SMTP_CLIENT_QUIT,
    SMTP_CLIENT_CLOSED,
};

/* Offered by the peer. */
enum {
    SMTP_HAS_PIPELINING = 1,
    SMTP_HAS_SIZE = 2,
    SMTP_HAS_8BITMIME = 4,
    SMTP_HAS_SMTPUTF8 = 8,
    SMTP_HAS_DSN = 16,
    SMTP_HAS_STARTTLS = 32,
    SMTP_HAS_AUTH_PLAIN = 64,
    SMTP_HAS_AUTH_LOGIN = 128,
    SMTP_HAS_CHUNKING = 256,
    SMTP_HAS_BINARYMIME = 512,
};

/* Plain, so that it can lie inside a session; all but options, verdicts,
 * n_verdicts, failed and extensions is the machine's own. */
struct smtp_client {
    struct smtp_client_options options;
    enum smtp_client_state state;
    unsigned extensions;
    uint64_t size_limit; /* of SIZE; 0: not said */
    uint64_t rcpt_limit; /* of LIMITS RCPTMAX (RFC 9422); 0: not said */
    uint64_t mail_limit; /* of LIMITS MAILMAX, for the driver to keep */
    bool tls;
    struct verdict failed; /* before READY, or between messages */

    struct smtp_reply reply;
    struct buf out;
    int64_t since_ms; /* last progress */
    bool tell_tls, tell_ready, tell_content, tell_done;

    /* The transaction. Its commands are numbered: 0 is RSET, 1 MAIL, then the
     * RCPTs, then DATA or BDAT; `said` were written, `heard` of them answered.
     */
    struct arena arena;
    const struct envelope *envelope;
    uint64_t size;
    bool stuffing;
    bool binary; /* goes by BDAT */
    struct verdict *verdicts;
    size_t n_verdicts;
    size_t asked;  /* of the recipients: those beyond rcpt_limit wait */
    uint64_t left; /* octets of a binary message still to come */
    size_t said, heard, accepted;
    bool mail_refused, unanswered, dirty;
    size_t kept; /* octets of reply texts in the arena */
    struct str last_text;
    bool at_line_start, after_cr;
};

void smtp_client_init(struct smtp_client *m,
                      const struct smtp_client_options *options,
                      struct instant now);
void smtp_client_fini(struct smtp_client *m);

/* Octets consumed; at most one event. */
size_t smtp_client_feed(struct smtp_client *m, struct instant now,
                        struct str input, enum smtp_client_event *event);

void smtp_client_tls_started(struct smtp_client *m, struct instant now);

/* When READY. The envelope is borrowed until DONE. size: octets of content.
 * stuffing false promises that no line of it begins with a dot. */
void smtp_client_begin(struct smtp_client *m, struct instant now,
                       const struct envelope *envelope, uint64_t size,
                       bool stuffing);

/* Content as it was accepted, in pieces; copied to the output. */
void smtp_client_content(struct smtp_client *m, struct str bytes);
void smtp_client_content_end(struct smtp_client *m, struct instant now);

void smtp_client_quit(struct smtp_client *m, struct instant now);

/* The connection is gone, or must go: what has no verdict yet gets LATER with
 * this sentence, status and reason (of the catalogue); DONE and CLOSE follow.
 */
void smtp_client_lost(struct smtp_client *m, struct status status,
                      const char *reason, struct str why);

/* lost(), because the deadline has passed. */
void smtp_client_timed_out(struct smtp_client *m);

/* mono_ms until which the peer must have answered; INT64_MAX: it owes nothing.
 */
int64_t smtp_client_deadline(const struct smtp_client *m);

struct str smtp_client_output(const struct smtp_client *m);
void smtp_client_sent(struct smtp_client *m, struct instant now, size_t n);

/* After DONE: the peer answered nothing of this transaction (or only that it
 * was about to hang up): try it on a fresh connection, no attempt was made. */
bool smtp_client_unanswered(const struct smtp_client *m);
