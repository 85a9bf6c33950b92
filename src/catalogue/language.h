/* SPDX-License-Identifier: ISC */
/*
 * The catalogue's texts for people in other languages than English: notices,
 * command line, web pages. SMTP replies stay English. What a language lacks is
 * English, too. share/catalogue/LANG is compiled in.
 *
 *     unsigned lang;
 *     if (language_find(STR("de_AT"), &lang))
 *         text = catalogue_text(reason, lang, CATALOGUE_NEXT);
 */
#pragma once

#include "catalogue/catalogue.h"

enum { LANGUAGE_ENGLISH = 0 };

size_t language_count(void);
struct str language_tag(unsigned lang);  /* "de" */
struct str language_name(unsigned lang); /* "Deutsch" */

/* By a tag or the name of a locale: "de", "DE-at", "de_AT.UTF-8@euro"; false:
 * not one of ours. */
bool language_find(struct str tag, unsigned *lang);

/* What to speak to a terminal of this locale (LC_ALL, LC_MESSAGES or LANG):
 * English unless it is a language of ours in UTF-8. */
unsigned language_of_locale(struct str locale);

enum catalogue_which {
    CATALOGUE_MEANING = 0,
    CATALOGUE_NEXT,
    CATALOGUE_WHO,
};

struct str catalogue_text(const struct reason *r, unsigned lang,
                          enum catalogue_which which);

/* One of the words that stand around these texts (share/catalogue/labels), or
 * any `who`. */
struct str catalogue_word(struct str english, unsigned lang);
