/* SPDX-License-Identifier: ISC */
/*
 * Reads the words of a notice: who could not be reached, and what was said of
 * each. A line that is an address, begins with one, or names one in a way that
 * share/catalogue/formats knows, opens a recipient; the lines behind it speak
 * of it, up to the next. Recipients in a row share what follows.
 */
#pragma once

#include "explain/claim.h"
#include "explain/report.h"

struct prose {
    struct str agent;    /* whose notice it is, by its opening words */
    struct str returned; /* what lay in front of nothing but the message that
                            came back */
    struct buf before;   /* the words in front of the first recipient */
    bool known;          /* an opening of a known program was there */
};

/* own: addresses that are no recipients, to whom the notice went. With a report
 * read before, claims has recipients: others are taken from the words only
 * where there is none. */
void prose_read(struct prose *p, struct claims *c, struct report *r,
                struct str text, struct str own);
void prose_fini(struct prose *p);
