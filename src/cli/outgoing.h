/* SPDX-License-Identifier: ISC */
/*
 * A message as programs hand it to sendmail, text with lines ended by LF, made
 * into one for SMTP: CRLF lines, recipients from the header where asked for, a
 * From field, an envelope. Pure.
 */
#pragma once

#include "base/err.h"
#include "mail/envelope.h"

struct outgoing_options {
    bool from_header;     /* -t: recipients of To, Cc and Bcc; Bcc goes */
    bool dot_ends;        /* a line of a dot alone is the end (not with -i) */
    bool sender_given;    /* else sender is user@hostname */
    struct str sender;    /* -f; the null sender is empty */
    struct str full_name; /* -F, for a From that is missing */
    struct str user, hostname; /* who calls, on which host */
    enum dsn_ret ret;          /* -R */
    struct str envid;          /* -V */
    unsigned notify;           /* -N */
};

struct outgoing {
    struct arena arena; /* of the envelope */
    struct envelope envelope;
    struct buf content;
};

/* rcpts: those of the command line; a name without a domain is one of
 * hostname. false: *e says what is wrong with the message. */
bool outgoing_make(struct outgoing *out, const struct outgoing_options *o,
                   struct str input, const struct str *rcpts, size_t n_rcpts,
                   struct err *e);
void outgoing_fini(struct outgoing *out);
