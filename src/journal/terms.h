/* SPDX-License-Identifier: ISC */
/*
 * The words by which an event is found: each a number made of what it is (an
 * id, a sender, …) and its text in lower case. 64 bits, with a seed that
 * strangers do not know: two texts with one number do not happen.
 */
#pragma once

#include "ipc/journal.h"

enum term {
    TERM_ID = 0,    /* incident, session, message, related message: as it is */
    TERM_SENDER,    /* "<>": the null sender */
    TERM_RECIPIENT, /* and the alias it came by */
    TERM_DOMAIN,    /* of sender, recipient or alias */
    TERM_CLIENT,
    TERM_USER,
    TERM_REASON,
};

enum { TERMS_MAX = 128 };

uint64_t terms_hash(uint64_t seed, enum term kind, struct str text);

/* Of all that the event holds; some may be there twice. */
size_t terms_of(const struct journal_event *e, uint64_t seed,
                uint64_t out[TERMS_MAX]);

/* Are all those words among them? */
bool terms_hold(const struct journal_event *e, uint64_t seed,
                const uint64_t *words, size_t n);
