/* SPDX-License-Identifier: ISC */
/*
 * Passwords and their hashes: yescrypt, and whatever else the system's
 * crypt(3) knows. Hashing takes long by intent, so never on a loop.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Longest password in octets; longer ones crypt() would refuse. */
enum { PASSWORD_MAX = 511 };

/* A new hash, appended. false with *e: the password cannot be used (empty, too
 * long, a NUL in it), or the system has no yescrypt. */
bool password_hash(struct str password, struct buf *to, struct err *e);

/* Is it the password of that hash? Takes as long for a password or a hash that
 * cannot be as for a wrong one. */
bool password_matches(struct str password, struct str hash);

/* The hash of nobody's password, to be compared with where there is no
 * account, so that an unknown name takes as long as a known one. */
struct str password_nobody(void);
