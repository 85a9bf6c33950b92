/* SPDX-License-Identifier: ISC */
/*
 * The answer of somebody who is away (RFC 3834): when none may be written, and
 * its text. Pure: whether the account is away and whom it told already, the
 * directory knows.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Why a message from this envelope sender with this header is never answered
 * automatically; NULL: it may be. */
const char *autoreply_forbidden(struct str sender, struct str header);

/* The address keys of To, Cc, Bcc and their Resent- forms, each with a "\n"
 * behind it: whom the message was written to. */
void autoreply_named(struct buf *to, struct str header);

/* Any octets may be in header; subject and body are the account's own. */
struct autoreply {
    struct str hostname;
    struct str account; /* who is away */
    struct str to;      /* who wrote */
    struct str subject, body;
    struct str header;     /* of what was written */
    struct str id;         /* of the answer in the spool */
    struct str message_id; /* without < and > */
    int64_t now_ms;
};

/* Does an address in it need SMTPUTF8? */
bool autoreply_needs_utf8(const struct autoreply *a);

/* Appends the whole message. */
void autoreply_write(struct buf *to, const struct autoreply *a);
