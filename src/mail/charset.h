/* SPDX-License-Identifier: ISC */
/* Text of any charset as UTF-8. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Appends text, of this charset by its MIME name, as valid UTF-8; what cannot
 * be converted becomes U+FFFD. An empty or unknown name, and "us-ascii" with
 * octets above 127, are guessed: a byte order mark, UTF-8 if it is that,
 * ISO-2022-JP by its escapes, else Windows-1252. */
void charset_to_utf8(struct buf *to, struct str charset, struct str text);
