/* SPDX-License-Identifier: ISC */
/*
 * A header that is asked for many of its fields: read once, by
 * mime_next_field(), and found by name without reading it again.
 *
 *     struct fields f = fields_of(header);
 *     if (fields_find(&f, &arena, STR("subject"), &value)) ...
 *
 * Nothing is read before the first question. Of a header with more than
 * FIELDS_MOST fields the rest is read anew each time.
 */
#pragma once

#include "base/arena.h"
#include "mail/header.h"

enum { FIELDS_MOST = 512 };

struct fields {
    struct str header;
    struct str beyond;  /* of header: not in list */
    struct field *list; /* in an arena; NULL: not read so far */
    size_t n;
};

static inline struct fields
fields_of(struct str header)
{
    return (struct fields){.header = header};
}

/* The fields are the arena's, so ask with that which lives as long as f. */
void fields_read(struct fields *f, struct arena *a);

/* The first of that name. */
bool fields_find(struct fields *f, struct arena *a, struct str name,
                 struct str *value);
