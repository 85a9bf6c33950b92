/* SPDX-License-Identifier: ISC */
/*
 * The header of a message (RFC 5322), read where it lies: fields are slices of
 * the message, nothing is copied, and any octets may come. A line ends with
 * CRLF only. The header ends at an empty line, at the end of the message, or
 * before the first line that is no field. So the server reads what it accepts,
 * which other servers must read alike; what somebody found in a mailbox or a
 * file, mended and mangled on its way, is for mime_next_field() (mail/mime.h).
 *
 *     struct str rest = message;
 *     struct field f;
 *     while (header_next(&rest, &f))
 *         if (str_eq_nocase(f.name, STR("received"))) n++;
 *     // rest: the body
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct field {
    struct str name;
    struct str value; /* blanks around it are off; folds (CRLF and a blank) are
                         still in it */
    struct str whole; /* with name and line end */
};

/* The next field, off the front of *rest. false: none; *rest is the body, the
 * empty line before it taken off. */
bool header_next(struct str *rest, struct field *f);

/* The whole header without the empty line; *body (may be NULL): the body. */
struct str header_of(struct str message, struct str *body);

/* The first field of that name; value as in struct field. */
bool header_find(struct str message, struct str name, struct str *value);

/* Does any field of that name hold this as one of its tokens (what lies
 * between blanks, commas, semicolons), without regard to case? */
bool header_has_token(struct str message, struct str name, struct str token);

/* Appends a value in one line: the CRLF of folds is dropped, other controls
 * become blanks. */
void header_unfold(struct buf *to, struct str value);

/* The next address in the value of From, To, Cc and their kind: what stands
 * between < and >, without a route, or the bare address; groups are entered,
 * comments and names skipped. It need not be a valid one. false: no more. */
bool header_next_address(struct str *value, struct str *address);
