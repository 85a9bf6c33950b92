/* SPDX-License-Identifier: ISC */
/*
 * Who guesses passwords waits: from the tenth failure on of the same account
 * or the same client network (IPv4 /24, IPv6 /64) attempts are checked one
 * after the other, with a growing pause between them. Who would wait too long
 * is not checked at all. Failures are forgotten half an hour after the last.
 *
 * A brake, not a lock: who has logged in from a network within a month is known
 * there, and only failures of that pair of account and network slow them down.
 * So an account that the whole world guesses at stays open to its owner.
 *
 * Each attempt counts as failed from the moment it begins, lest many at once
 * are all checked before the first of them has failed:
 *
 *     wait = brake_begin(&b, account, client, now);   // -1: refuse
 *     ... wait, check ...
 *     if (right)  brake_succeeded(&b, account, client, now);
 *     if (could not be checked)  brake_undo(&b, account, client, now);
 *
 * An account here is whatever the caller takes for one: a name that nobody has
 * is counted as well. What is counted survives a restart by save and load.
 */
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "base/time.h"

struct brake {
    struct map entries; /* key -> struct brake_entry */
    uint32_t failures;  /* from which on attempts wait; 0: never */
    bool changed;       /* since brake_save() */
};

enum {
    BRAKE_FAILURES = 10,      /* the default */
    BRAKE_WAIT_MS = 20 * 1000 /* nobody waits longer, but is refused */
};

void brake_fini(struct brake *b);

/* How long this attempt must wait before it is checked, or -1. */
int64_t brake_begin(struct brake *b, struct str account, struct str client,
                    struct instant now);
void brake_succeeded(struct brake *b, struct str account, struct str client,
                     struct instant now);
void brake_undo(struct brake *b, struct str account, struct str client,
                struct instant now);

/* load: false, and an empty brake, if these octets are not what save made. */
void brake_save(struct brake *b, struct buf *to);
bool brake_load(struct brake *b, struct str octets);
