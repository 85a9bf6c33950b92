/* SPDX-License-Identifier: ISC */
/*
 * Where a recipient goes, one step: to a mailbox of ours, out into the world,
 * on to an alias's targets, or nowhere. The book decides; this only turns its
 * answer into a carrier and a destination. Pure.
 */
#pragma once

#include "base/arena.h"
#include "book/book.h"
#include "mail/verdict.h"

enum route_kind {
    ROUTE_REFUSED = 0, /* verdict says why */
    ROUTE_SEND,        /* destination: domain key, or the smarthost */
    ROUTE_MAILBOX,     /* destination: delivery target, "maildir:/…" */
    ROUTE_ALIAS,       /* targets */
};

struct route {
    enum route_kind kind;
    struct str destination;
    struct str account; /* MAILBOX: key of the account, or empty */
    bool on_vacation;
    struct str *targets;
    size_t n_targets;
    struct verdict verdict;
};

/* smarthost: empty, or where all mail for the world goes. Slices live in the
 * arena or as long as the arguments. */
void route_find(const struct book *b, struct str smarthost, struct arena *a,
                struct str address, struct route *out);

/* The verdict of a permanent refusal of ours. */
struct verdict route_refusal(struct status status, struct str reason,
                             struct str text);
