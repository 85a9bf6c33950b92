/* SPDX-License-Identifier: ISC */
/*
 * The key of a notice: original, kind and recipients, written so that it can
 * be read back. Whoever sees the message that carries it knows which debts are
 * paid, without having kept anything.
 *
 *     2b-9Xk.b.0-4,7        a bounce about recipients 0 to 4 and 7
 *     2b-9Xk.a.2            an autoreply for recipient 2
 */
#pragma once

#include "base/buf.h"
#include "base/id.h"

struct spool_key {
    struct msgid original;
    unsigned kind;     /* NOTICE_*, one of them */
    struct str ranges; /* read with key_next() */
};

/* rcpts ascending, at least one. */
void key_format(struct buf *to, struct msgid original, unsigned kind,
                const uint32_t *rcpts, size_t n);

/* false: not a key. The ranges have been checked. */
bool key_parse(struct str text, struct spool_key *k);

/* Takes the next range off *ranges; false: there is none (or it is bad). */
bool key_next(struct str *ranges, uint32_t *first, uint32_t *last);
