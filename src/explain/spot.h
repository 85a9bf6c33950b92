/* SPDX-License-Identifier: ISC */
/*
 * Finds what matters in a line of prose: addresses, codes, the names of hosts.
 * Where they stand is all that is said; whether they mean something is not
 * decided here.
 */
#pragma once

#include "base/str.h"

/* An address in a line: `address` is as written, without < and >; the line up
 * to it and behind it, brackets and quotes around it taken off both. */
struct spot {
    struct str address, before, after;
    bool angled; /* stood between < and > */
};

/* The first address of the line. ASCII, or UTF-8 between < and >; a bare local
 * part ("<jim>") only where it stands so. false: none. */
bool spot_address(struct str line, struct spot *out);

/* The next in what spot_address() left behind. */
bool spot_next(struct spot *s);

/* Is all of text one address, between < and > or not? */
bool spot_is_address(struct str text, struct str *address);

/* "550" at the front of text as a word of its own: 2xx to 5xx, followed by a
 * blank, '-', ':' or the end. */
bool spot_code_at(struct str text, struct str *code);

/* Where the reply of an SMTP server begins in text: its code, at the beginning
 * or behind a blank, colon or bracket, and nothing that is a number of its own
 * ("550 bytes", "port 550"); a refusal rather than a "220" in front of it. -1:
 * none. */
ssize_t spot_reply(struct str text);

/* The first enhanced code in text (RFC 3463): "5.1.1", "#5.1.1", "(#5.1.1)", no
 * part of an address of the Internet or of a version. */
bool spot_status(struct str text, struct str *status);
