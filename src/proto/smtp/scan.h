/* SPDX-License-Identifier: ISC */
/*
 * The content of a message as it comes in: finds its end, takes stuffed dots
 * away, and watches the line ends. Nothing is copied and nothing repaired: what
 * may be passed on are slices of the input, as large as they come.
 *
 * Exactly CR LF "." CR LF ends a message (RFC 5321 4.1.1.4). A CR or LF alone
 * is no line end anywhere; it is remembered, and the message is refused after
 * its true end, since another server might see an end there.
 */
#pragma once

#include "base/str.h"

/* RFC 5321 4.5.3.1.6 asks for 1000; programs that never wrap write more. */
enum { SMTP_TEXT_LINE_MAX = 65536 };

enum smtp_scan_at {
    SCAN_LINE_START = 0,
    SCAN_TEXT,
    SCAN_CR,     /* behind a CR */
    SCAN_DOT,    /* behind a dot at the start of a line, not passed on yet */
    SCAN_DOT_CR, /* behind a CR behind that */
};

/* {0} is the start of a message. */
struct smtp_scan {
    enum smtp_scan_at at;
    size_t line;   /* octets of the line so far */
    bool bare;     /* a CR or LF stood alone */
    bool too_long; /* a line above SMTP_TEXT_LINE_MAX */
    bool dots;     /* a line of the content begins with a dot */
};

/* DATA: consumes from `in`; *out is what of it is content (it may be empty),
 * *end: the message ends here. Call again while something is consumed. */
size_t smtp_scan_data(struct smtp_scan *s, struct str in, struct str *out,
                      bool *end);

/* BDAT: all of `chunk` is content (RFC 3030). */
void smtp_scan_chunk(struct smtp_scan *s, struct str chunk);
