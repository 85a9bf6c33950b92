/* SPDX-License-Identifier: ISC */
/* The tables that tools/catalogue.py writes. */
#pragma once

#include <stdalign.h>

#include "catalogue/catalogue.h"

/* Stands in a pattern for one word or more without a blank. */
enum { CATALOGUE_WILD = '\001' };

/* By id. */
extern const struct reason catalogue_reasons[];
extern const size_t catalogue_n_reasons;

/* All texts of wordings one behind another: without a pointer to each, which
 * the loader would have to write at every start. */
extern const char *const catalogue_pool;

struct catalogue_slice {
    uint32_t at, n; /* in catalogue_pool */
};

static inline struct str
pool_str(struct catalogue_slice s)
{
    return (struct str){catalogue_pool + s.at, s.n};
}

/* Wordings as they stand in the files; those of a reason stand together. */
extern const struct catalogue_slice catalogue_texts[];

/* A wording as scan.c compares it: made by words.c's rules; begins and ends
 * with a letter, a digit or an octet above 127. The best first: the sure, then
 * the longest, the vague behind all others. The anchor, the longest part
 * without a wild card, is what the database looks for. */
extern const struct catalogue_wording {
    struct catalogue_slice pattern;
    struct catalogue_slice origin;
    uint16_t anchor, anchor_n;
    uint16_t reason;
    uint16_t text;        /* in catalogue_texts */
    struct status status; /* counts with this code only; klass 0: with any */
    uint8_t stages;       /* 1 << enum catalogue_stage; 0: at every stage */
    bool vague;
    bool made; /* one of several that a {a|b} stands for */
} catalogue_wordings[];
extern const size_t catalogue_n_wordings;

/* The wordings' anchors as a Vectorscan database, for any machine, as it lies
 * in memory: made at build time by tools/catalogue_database.c. */
enum { CATALOGUE_ALIGNED = 64 };
extern const uint64_t catalogue_database[];
extern const size_t catalogue_n_database; /* octets */

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
