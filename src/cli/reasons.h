/* SPDX-License-Identifier: ISC */
/* What `gatepost reasons` has found, and how it is printed. */
#pragma once

#include "catalogue/catalogue.h"
#include "catalogue/code.h"

struct reasons_view {
    enum reasons_format {
        REASONS_TEXT = 0,
        REASONS_MARKDOWN,
        REASONS_JSON, /* one object a line */
    } format;
    unsigned lang;
    bool list;               /* a line each, not the whole entry */
    const struct code *code; /* only the wordings with this one; NULL: all */
    const struct reason **reasons;
    size_t n;
};

void reasons_print(const struct reasons_view *v);

/* How many wordings of r bring the code; NULL: all. */
size_t reasons_count(const struct reason *r, const struct code *c);
