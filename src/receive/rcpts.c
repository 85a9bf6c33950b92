/* SPDX-License-Identifier: ISC */
#include "receive/rcpts.h"

#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/utf8.h"

enum { FIRST = 4, FEW = 8, ORCPT_MAX = 500 };

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

/* In the form that passes everywhere: "\\x{FC}" for a character that is not
 * ASCII (RFC 6533, 3). One that grows beyond what ORCPT may be is left out. */
static struct str
keep_orcpt(struct arena *a, const struct smtp_rcpt *rcpt)
{
    struct buf b = {0};
    size_t octets;
    if (!rcpt->orcpt_utf8)
        return arena_dup(a, rcpt->orcpt);
    for (struct str s = rcpt->orcpt; s.n > 0; s = str_from_pos(s, octets)) {
        uint32_t c = utf8_decode(s, &octets);
        if (c < 0x80)
            buf_add_char(&b, (char)c);
        else
            buf_addf(&b, "\\x{%X}", c);
    }
    struct str own = b.n > ORCPT_MAX ? STR_EMPTY : arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return own;
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
        .orcpt = keep_orcpt(a, rcpt),
        .notify = rcpt->notify,
    };
    if (r->index != NULL)
        *find_slot(r, e, address) = (uint32_t)e->n_rcpts;
}
