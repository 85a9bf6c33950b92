/* SPDX-License-Identifier: ISC */
/* UTF-8 (RFC 3629): shortest forms only, no surrogates, up to U+10FFFF. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Octets of the character at the front of s; 0: none, or not UTF-8. */
size_t utf8_first(struct str s);

bool utf8_valid(struct str s);

/* The character at the front of s, which is not empty, and its octets; '?' and
 * one octet where there is none. */
uint32_t utf8_decode(struct str s, size_t *octets);

/* Appends s; each octet that is no part of a character becomes U+FFFD. */
void utf8_add_mended(struct buf *to, struct str s);

/* Appends one character; U+FFFD for 0, surrogates and what is beyond U+10FFFF.
 */
void utf8_add(struct buf *to, uint32_t c);
