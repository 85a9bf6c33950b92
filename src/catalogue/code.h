/* SPDX-License-Identifier: ISC */
/*
 * Codes beside the catalogue: what "553" or "5.1.1" says by itself, and which
 * reasons and wordings go with it.
 *
 *     struct code c;
 *     if (code_parse(STR("5.1.1"), &c))
 *         for each reason r: if (code_fits(&c, r)) ...
 */
#pragma once

#include "catalogue/catalogue.h"

/* One of the two: a reply code, or an enhanced code with reply 0. */
struct code {
    uint16_t reply;
    struct status status;
};

/* "553", "5.1.1", "#5.1.1"; 4 or 5 in front. */
bool code_parse(struct str text, struct code *c);

/* An English phrase (catalogue_word() translates it); empty: not known. */
struct str code_says(const struct code *c);

/* The reason's own code, or one that other servers give this meaning. */
bool code_fits(const struct code *c, const struct reason *r);

/* Does the wording bring this code? */
bool code_in_wording(const struct code *c, struct str wording);
