/* SPDX-License-Identifier: ISC */
/* The values of the snapshot. They come from another process, so each length
 * is checked. */
#include "book/book.h"

#include "base/wire.h"

enum { FLAG_ON_VACATION = 1 };

void
book_domain_encode(struct buf *to, const struct book_domain *d)
{
    wire_add_u8(to, 0); // no flags yet; keeps the value from being empty
    wire_add_str(to, d->delivery);
}

bool
book_domain_decode(struct str value, struct book_domain *d)
{
    struct wire in = wire_from(value);
    (void)wire_u8(&in);
    *d = (struct book_domain){.delivery = wire_str(&in)};
    return wire_done(&in);
}

void
book_account_encode(struct buf *to, const struct book_account *x)
{
    wire_add_u8(to, x->on_vacation ? FLAG_ON_VACATION : 0);
}

bool
book_account_decode(struct str value, struct book_account *x)
{
    struct wire in = wire_from(value);
    uint8_t flags = wire_u8(&in);
    *x = (struct book_account){.on_vacation = (flags & FLAG_ON_VACATION) != 0};
    return wire_done(&in);
}

void
book_alias_encode(struct buf *to, const struct book_alias *x)
{
    wire_add_u32(to, (uint32_t)x->n_targets);
    for (size_t i = 0; i < x->n_targets; i++)
        wire_add_str(to, x->targets[i]);
}

bool
book_alias_decode(struct arena *a, struct str value, struct book_alias *x)
{
    enum { STR_LEAST = 4 }; // the length of an empty one
    struct wire in = wire_from(value);
    size_t n = wire_count(&in, STR_LEAST);

    *x = (struct book_alias){.n_targets = n};
    x->targets = arena_array(a, n, sizeof *x->targets);
    for (size_t i = 0; i < n; i++)
        x->targets[i] = wire_str(&in);
    return wire_done(&in);
}
