/* SPDX-License-Identifier: ISC */
/*
 * Aliases of one message: which of an alias's targets are new to it. Nobody
 * gets a message twice because two aliases lead to them, and a loop of aliases
 * ends, because an address that the message already has is never added.
 *
 *     expand_init(&x, &arena, view.rcpts, view.n_rcpts);
 *     if (expand_targets(&x, alias, targets, &n) == EXPAND_OK) {
 *         spool_expand(store, id, alias, targets, n, indexes);
 *         expand_added(&x, alias, targets, indexes, n);
 *     }
 *     expand_fini(&x);
 */
#pragma once

#include "base/map.h"
#include "spool/spool.h"

enum { EXPAND_DEPTH = 10 }; /* aliases that lead to aliases */

struct expand_entry; /* one address of the message */

struct expand {
    struct arena *arena;
    struct map by_key;   /* address key -> entry */
    struct map by_index; /* recipient -> entry */
};

enum expand_result {
    EXPAND_OK = 0,
    EXPAND_NOTHING_NEW, /* all are reached by other ways */
    EXPAND_LOOP,        /* it leads nowhere but back to itself */
    EXPAND_TOO_DEEP,
};

void expand_init(struct expand *x, struct arena *a,
                 const struct spool_rcpt *rcpts, size_t n);
void expand_fini(struct expand *x);

/* Leaves only the new targets, each once, in their order. */
enum expand_result expand_targets(struct expand *x, uint32_t alias,
                                  struct str *targets, size_t *n);
void expand_added(struct expand *x, uint32_t alias, const struct str *targets,
                  const uint32_t *indexes, size_t n);
