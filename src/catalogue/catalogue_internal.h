/* SPDX-License-Identifier: ISC */
/* The tables that tools/catalogue.py writes. */
#pragma once

#include "catalogue/catalogue.h"

/* Stands in a pattern for one word or more without a blank. */
enum { CATALOGUE_WILD = '\001' };

/* By id. */
extern const struct reason catalogue_reasons[];
extern const size_t catalogue_n_reasons;

/* A wording as recognise.c compares it: lower case, without codes; begins and
 * ends with a letter or digit. The longest first, those of vague reasons
 * ("recipient rejected") behind all others. */
extern const struct catalogue_wording {
    struct str pattern;
    uint16_t reason;
} catalogue_wordings[];
extern const size_t catalogue_n_wordings;

/* A reply code (with klass 0) or an enhanced code (with code 0). */
extern const struct catalogue_code {
    uint16_t code;
    struct status status;
    uint16_t reason;
} catalogue_codes[];
extern const size_t catalogue_n_codes;

/* What is to be said for a reason, where that is not its own code alone. */
extern const struct catalogue_fit {
    uint16_t reason;
    uint16_t code;
    struct status status;
} catalogue_fit_codes[];
extern const size_t catalogue_n_fit_codes;

/* A continuation line, "553-...". */
bool catalogue_goes_on(struct str line);

/* What a reply code says by itself, or the subject of an enhanced one. */
extern const struct catalogue_saying {
    uint16_t code; /* 553; 1: of x.1.y */
    struct str phrase;
} catalogue_sayings[];
extern const size_t catalogue_n_sayings;

struct catalogue_translation {
    struct str meaning, next; /* empty: not translated */
};

/* "sender" = "Absender"; by the English phrase. */
struct catalogue_phrase {
    struct str english, text;
};

/* The first is English, which has no tables. */
extern const struct catalogue_tongue {
    struct str tag, name;                      /* "de", "Deutsch" */
    const struct catalogue_translation *texts; /* as catalogue_reasons */
    const struct catalogue_phrase *words;
    size_t n_words;
} catalogue_tongues[];
extern const size_t catalogue_n_tongues;
