/* SPDX-License-Identifier: ISC */
/*
 * The recipients of an envelope while they come in: an address said twice, in
 * the same spelling, is kept once. Thousands may come one by one, so where
 * there are many they are found by hash.
 *
 *     struct rcpts r = {0};                // with the empty envelope
 *     rcpts_add(&r, &arena, &envelope, &ev.rcpt);
 *
 * All memory is the arena's; when it is reset, begin again with {0}.
 */
#pragma once

#include "base/arena.h"
#include "mail/envelope.h"
#include "proto/smtp/parse.h"

struct rcpts {
    size_t cap;      /* of envelope->rcpts */
    uint32_t *index; /* NULL while they are few; else 2 * cap slots: 0, or a
                        position in envelope->rcpts plus 1 */
};

/* Copies what it adds. */
void rcpts_add(struct rcpts *r, struct arena *a, struct envelope *e,
               const struct smtp_rcpt *rcpt);
