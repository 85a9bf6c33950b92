/* SPDX-License-Identifier: ISC */
/*
 * A reply as it is compared: its words in lower case, one blank between two,
 * without its codes and without words such as "the" and "is"; every negation is
 * "not". tools/catalogue.py does the same to the wordings.
 *
 *     struct words w;
 *     words_read(&w, reply);
 *     scan(words_text(&w), ...);
 */
#pragma once

#include "base/str.h"

enum {
    WORDS_LONGEST = 8192 /* octets of a reply that are read at all */
};

struct words {
    uint16_t code; /* the first reply code, 0: none */
    size_t n;
    char text[WORDS_LONGEST];
    uint16_t at[WORDS_LONGEST]; /* where each octet of text stood */
};

void words_read(struct words *w, struct str reply);

static inline struct str
words_text(const struct words *w)
{
    return (struct str){w->text, w->n};
}
