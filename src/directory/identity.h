/* SPDX-License-Identifier: ISC */
/*
 * Whom a login name means: the whole address of an account, or a local part
 * that only one account of our domains has.
 */
#pragma once

#include "directory/hosting.h"
#include "directory/scram.h"

struct identity {
    /* The account, a key; empty: nobody. */
    struct str account;
    /* What failures are counted under and what a salt is derived from: the
     * account, or the address it would be if there were one. "nob" is counted
     * as one name with "nob@example.com", and no differently than "ann" is, so
     * that neither tells who exists. */
    struct str name;
};

/* Names are kept in the arena. */
bool identity_find(const struct hosting *h, struct accounts *a,
                   struct arena *arena, struct str said, struct identity *out,
                   struct err *e);

/* The salt of a name's verifier, whether anybody has that name or not. */
bool identity_salt(struct accounts *a, struct str name,
                   unsigned char salt[SCRAM_SALT], struct err *e);
