/* SPDX-License-Identifier: ISC */
/* Bodies of our own texts: lines that end with "\n" (a CR before it is dropped)
 * become lines of mail, quoted-printable (RFC 2045, 6.7) where they must be. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Does it need to be: octets above 127, controls, or a line above 998? */
bool quoted_needed(struct str text);

void quoted_add(struct buf *to, struct str text, bool quoted);
