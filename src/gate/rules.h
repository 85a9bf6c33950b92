/* SPDX-License-Identifier: ISC */
/*
 * The admin's rules for content (gate.message-rules): regular expressions
 * (PCRE2) over the fields of the header and the lines of the body. One a line:
 *
 *     # comment
 *     header /^Subject:.*cheap pills/i   pills
 *     body   /https?:\/\/pills\.example/   their site
 *     /^X-Mailer: BadBot/
 *
 * Without a word in front a rule is for the header; flags are i, m, s and x;
 * what follows is a remark for the journal. A field is matched whole, its folds
 * undone; the body is matched as it came, line by line, undecoded, as far as
 * RULES_BODY_MAX octets. The first line of the file that matches counts.
 *
 *     struct rules_scan x = {.rules = rules};
 *     rules_scan_header(&x, header);
 *     rules_scan_body(&x, bytes) ...       // in any pieces
 *     rules_scan_end(&x);
 *     if (x.line > 0) ...                  // the rule's line in the file
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum {
    RULES_MAX = 1000,          /* in one file */
    RULES_LINE_MAX = 4096,     /* octets of a field or line that are matched */
    RULES_BODY_MAX = 256 << 10 /* octets of a body that are matched */
};

struct rules;

/* NULL: problems has lines "17: what is wrong". */
struct rules *rules_new(struct str text, struct buf *problems);
void rules_free(struct rules *r);
size_t rules_count(const struct rules *r);

/* The remark of the rule on that line; empty: none. */
struct str rules_remark(const struct rules *r, uint32_t line);

struct rules_scan {
    const struct rules *rules; /* NULL: nothing is matched */
    uint32_t line;             /* of the rule that matched first; 0: none */
    struct buf piece;          /* of a line that is not whole yet */
    size_t body;               /* octets looked at */
};

void rules_scan_header(struct rules_scan *x, struct str header);
void rules_scan_body(struct rules_scan *x, struct str bytes);
void rules_scan_end(struct rules_scan *x); /* frees all but `line` */
