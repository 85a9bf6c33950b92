/* SPDX-License-Identifier: ISC */
/* Messages in the queue as JSON, and which of them a request means. */
#pragma once

#include <jansson.h>

#include "spool/spool.h"

/* All given must match; compared without regard to case. */
struct listing_filter {
    struct str from;   /* sender, whole; "<>" or "" given: the null sender */
    struct str to;     /* a recipient, whole */
    struct str domain; /* of a recipient */
    struct str auth;   /* the account that sent it */
    bool has_from;
};

bool listing_match(const struct listing_filter *f, const struct spool_view *v);

/* A new reference. details: each recipient with its own state. */
json_t *listing_json(const struct spool_view *v, bool details);
