/* SPDX-License-Identifier: ISC */
/*
 * Passwords that were right a short while ago, so that a client that logs in
 * for each message does not cost a slow hash each time. Only a digest under a
 * key of this process is kept, of account, stored hash and password together:
 * another password or another hash in the database is another digest.
 */
#pragma once

#include "base/map.h"
#include "base/time.h"
#include "os/digest.h"

struct remember {
    unsigned char key[DIGEST_OCTETS];
    struct map entries; /* account -> struct, the last that was right */
};

void remember_init(struct remember *r);
void remember_fini(struct remember *r);

/* Was this very password right for this very hash within five minutes? */
bool remember_knows(struct remember *r, struct str account, struct str hash,
                    struct str password, struct instant now);
void remember_good(struct remember *r, struct str account, struct str hash,
                   struct str password, struct instant now);
void remember_forget(struct remember *r, struct str account);
