/* SPDX-License-Identifier: ISC */
/* Between the files of book/ only. */
#pragma once

#include "book/book.h"

/* false: domain or user must not stand in a path. */
bool book_fill_pattern(struct arena *a, struct str pattern, struct str domain,
                       struct str user, struct str *out) MUST_USE;

/* The alias under this very key. */
bool book_find_alias(const struct book *b, struct arena *a, struct str key,
                     struct book_route *route) MUST_USE;
