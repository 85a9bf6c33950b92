/* SPDX-License-Identifier: ISC */
/*
 * The best wording in a text: one pass of Vectorscan over it finds where an
 * anchor of a wording stands, and each is then held against the whole wording.
 * Opened at first use, kept for the life of the process; one thread.
 */
#pragma once

#include "catalogue/catalogue_internal.h"

struct scan_hit {
    const struct catalogue_wording *wording; /* NULL: none */
    size_t at, ends;                         /* in text */
};

/* text: made by words_read(); s: the enhanced code in the reply. */
struct scan_hit scan(struct str text, struct status s,
                     enum catalogue_stage stage);

/* For tests: the database built in, or another. Opens it; what there is to say
 * then is catalogue_warning()'s. */
void scan_open(struct str database);
