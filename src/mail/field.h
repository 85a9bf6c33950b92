/* SPDX-License-Identifier: ISC */
/*
 * Writes header fields of our own: folded, in ASCII, whatever octets the
 * values hold. Reading is mail/header.h.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Appends "Name: value" with CRLF, folded at its blanks to lines of 78 octets
 * where they allow that, and never above 998. The value is UTF-8: words that
 * are not ASCII become encoded words (RFC 2047), those already encoded stay as
 * they are, line ends and other controls become blanks. */
void field_add(struct buf *to, struct str name, struct str value);

/* Appends all of text as encoded words, fit for the phrase before an address,
 * one blank between them. */
void field_add_encoded(struct buf *to, struct str text);

/* Appends text as a quoted string (RFC 5322, 3.2.4); it must be ASCII. */
void field_add_quoted(struct buf *to, struct str text);

bool field_is_ascii(struct str text);
