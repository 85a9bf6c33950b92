/* SPDX-License-Identifier: ISC */
/* Reads header values for people: the way back from mail/field.h. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Appends a value as valid UTF-8 in one line: unfolded, encoded words (RFC
 * 2047) decoded, those next to each other joined, controls as blanks. */
void encoded_add_decoded(struct buf *to, struct str value);
