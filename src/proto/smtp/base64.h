/* SPDX-License-Identifier: ISC */
/* Base 64 of RFC 4648 4, as SMTP AUTH carries it: no line breaks, padded. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

void base64_encode(struct buf *to, struct str bytes);

/* Appends the octets; false (and nothing kept) for anything that is not
 * canonical: a foreign character, missing padding, bits left over. */
bool base64_decode(struct buf *to, struct str text);
