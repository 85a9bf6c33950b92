/* SPDX-License-Identifier: ISC */
/*
 * Writes the report of a delivery, failed or (RFC 3461) asked for: a
 * multipart/report by RFC 3464 (6533 where an address needs it) of three parts:
 * words for people, a status for machines, the original. It decides nothing:
 * who failed, and that a report is due, is the caller's.
 *
 *     struct dsn_message m = {0};
 *     dsn_write(&report, &m);
 *     send m.head, m.copy, m.tail; as an 8-bit message where it says so
 *     dsn_message_fini(&m);
 *
 * The copy is a slice of the original, so a large one is not copied here.
 */
#pragma once

#include "base/buf.h"
#include "mail/envelope.h"
#include "mail/verdict.h"

struct dsn_rcpt {
    struct str address; /* as the sender wrote it */
    struct str orcpt;   /* as sent, xtext and all; or empty */
    struct verdict verdict;
    uint32_t attempts;
    int64_t last_attempt_ms;
};

/* Addresses, verdicts and the original may hold any octets. */
struct dsn_report {
    struct str hostname;   /* who writes */
    struct str to;         /* the original's sender; not null */
    struct str id;         /* of this notice in the spool */
    struct str message_id; /* without < and > */
    struct str boundary;   /* not to be guessed by who wrote the original */
    int64_t now_ms;

    struct dsn_rcpt *rcpts; /* all failed, or none; at least one */
    size_t n_rcpts;

    struct str original;
    int64_t arrived_ms;
    struct str envid; /* as sent; or empty */
    enum dsn_ret ret;
    bool smtputf8; /* the original was sent so */
};

struct dsn_message {
    struct buf head;
    struct str copy;
    struct buf tail;
    bool eight_bit; /* holds octets above 127: BODY=8BITMIME */
    bool smtputf8;  /* holds an address in UTF-8 in its own header */
};

/* The two flags alone: the envelope needs them before the spool has given the
 * notice its id. */
void dsn_needs(const struct dsn_report *r, bool *eight_bit, bool *smtputf8);

void dsn_write(const struct dsn_report *r, struct dsn_message *m);
void dsn_message_fini(struct dsn_message *m);

/* The enhanced code of a recipient's outcome; of a failure: the reply's own,
 * else that of the reason it is recognised as, else 5.0.0. */
struct status dsn_status(const struct verdict *v);

/* The reason behind a verdict: ours, else what the reply is recognised as, else
 * "unclear". Never NULL. */
const struct reason *dsn_reason(const struct verdict *v);
