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
 * ends with a letter or digit. The longest first. */
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
