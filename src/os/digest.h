/* SPDX-License-Identifier: ISC */
/* Keyed digests, and comparing them. */
#pragma once

#include "base/str.h"

enum { DIGEST_OCTETS = 32 };

/* HMAC-SHA-256 (RFC 2104) of the parts, each behind its length, so that where
 * one ends and the next begins counts too. */
void digest_keyed(struct str key, const struct str *parts, size_t n,
                  unsigned char out[DIGEST_OCTETS]);
