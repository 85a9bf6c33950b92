/* SPDX-License-Identifier: ISC */
#include "receive/rcpts.h"

#include <string.h>

#include "base/map.h"

enum { FIRST = 4, FEW = 8 };

/* The slot of that address, or the free one where it belongs. */
static uint32_t *
find_slot(const struct rcpts *r, const struct envelope *e, struct str address)
{
    size_t mask = 2 * r->cap - 1, i = map_hash(address) & mask;
    while (r->index[i] != 0 &&
           !str_eq(e->rcpts[r->index[i] - 1].address, address))
        i = (i + 1) & mask;
    return &r->index[i];
}

static bool
has(const struct rcpts *r, const struct envelope *e, struct str address)
{
    if (r->index != NULL)
        return *find_slot(r, e, address) != 0;
    for (size_t i = 0; i < e->n_rcpts; i++)
        if (str_eq(e->rcpts[i].address, address))
            return true;
    return false;
}

static void
grow(struct rcpts *r, struct arena *a, struct envelope *e)
{
    struct recipient *old = e->rcpts;
    r->cap = r->cap == 0 ? FIRST : r->cap * 2;
    e->rcpts = arena_array(a, r->cap, sizeof *e->rcpts);
    if (e->n_rcpts > 0)
        memcpy(e->rcpts, old, e->n_rcpts * sizeof *old);
    if (r->cap <= FEW)
        return;
    r->index = arena_array(a, 2 * r->cap, sizeof *r->index);
    memset(r->index, 0, 2 * r->cap * sizeof *r->index);
    for (size_t i = 0; i < e->n_rcpts; i++)
        *find_slot(r, e, e->rcpts[i].address) = (uint32_t)i + 1;
}

void
rcpts_add(struct rcpts *r, struct arena *a, struct envelope *e,
          const struct smtp_rcpt *rcpt)
{
    struct str address = rcpt->recipient.whole;
    if (has(r, e, address))
        return;
    if (e->n_rcpts == r->cap)
        grow(r, a, e);
    e->rcpts[e->n_rcpts++] = (struct recipient){
        .address = arena_dup(a, address),
        .orcpt = arena_dup(a, rcpt->orcpt),
        .notify = rcpt->notify,
    };
    if (r->index != NULL)
        *find_slot(r, e, address) = (uint32_t)e->n_rcpts;
}
