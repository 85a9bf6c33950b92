/* SPDX-License-Identifier: ISC */
#include "mail/fields.h"

#include "base/ascii.h"
#include "mail/mime.h"

enum { FIRST_ROOM = 32 };

void
fields_read(struct fields *f, struct arena *a)
{
    size_t room = FIRST_ROOM;
    if (f->list != NULL || f->header.n == 0)
        return;
    f->list = arena_array(a, room, sizeof *f->list);
    f->beyond = f->header;
    while (f->n < FIELDS_MOST && mime_next_field(&f->beyond, &f->list[f->n])) {
        if (++f->n < room)
            continue;
        struct field *more = arena_array(a, 2 * room, sizeof *more);
        memcpy(more, f->list, room * sizeof *more);
        f->list = more;
        room *= 2;
    }
    if (f->n < FIELDS_MOST)
        f->beyond = STR_EMPTY;
}

bool
fields_find(struct fields *f, struct arena *a, struct str name,
            struct str *value)
{
    fields_read(f, a);
    for (size_t i = 0; i < f->n; i++) {
        const struct field *one = &f->list[i];
        if (one->name.n != name.n || !str_eq_nocase(one->name, name))
            continue;
        *value = one->value;
        return true;
    }
    return f->beyond.n > 0 && mime_find(f->beyond, name, value);
}
