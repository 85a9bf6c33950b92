/* SPDX-License-Identifier: ISC */
/*
 * Who guesses passwords gets slower answers: from the tenth failure on of the
 * same account or the same client network (IPv4 /24, IPv6 /64). Failures are
 * forgotten after a quarter to half an hour. A brake, not a lock: an account
 * under attack can still be logged in to.
 */
#pragma once

#include "base/map.h"
#include "base/time.h"

/* Counts of this period and of the one before. {0} is an empty one. */
struct brake {
    struct map recent, older; /* key -> size_t, a count of failures */
    int64_t period_end_ms;    /* mono */
};

void brake_fini(struct brake *b);

/* How long the next attempt must wait before it is checked; 0: not at all. */
int64_t brake_delay_ms(struct brake *b, struct str user, struct str client,
                       struct instant now);

void brake_failed(struct brake *b, struct str user, struct str client,
                  struct instant now);
/* The account is forgiven, the network is not. */
void brake_succeeded(struct brake *b, struct str user);
