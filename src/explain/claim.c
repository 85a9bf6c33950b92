/* SPDX-License-Identifier: ISC */
#include "explain/claim.h"

#include "base/math.h"

/* Notices of so many need no map. */
enum { FEW = 8 };

void
claims_init(struct claims *c, struct arena *a)
{
    *c = (struct claims){.a = a};
}

void
claims_fini(struct claims *c)
{
    for (size_t i = 0; i < c->n; i++)
        buf_fini(&c->list[i]->text);
    map_fini(&c->by_address);
}

struct claim *
claims_find(const struct claims *c, struct str address)
{
    for (size_t i = 0; i < math_min(c->n, FEW); i++)
        if (str_eq_nocase(c->list[i]->recipient, address))
            return c->list[i];
    if (c->n <= FEW)
        return NULL;
    return map_get(&c->by_address, arena_dup_lower(c->a, address));
}

/* The first of an address counts: claims_name_unknown() may have given it to
 * another one since. */
static void
enter(struct claims *c, struct claim *one)
{
    struct str address = arena_dup_lower(c->a, one->recipient);
    if (map_get(&c->by_address, address) == NULL)
        map_put(&c->by_address, address, one);
}

struct claim *
claims_of(struct claims *c, struct str address)
{
    struct claim *found = claims_find(c, address);
    if (found != NULL)
        return found;
    if (c->n == CLAIMS_MOST) {
        c->cut = true;
        return NULL;
    }
    if (c->n == c->cap) {
        size_t cap = c->cap == 0 ? 8 : c->cap * 2;
        struct claim **list = arena_array(c->a, cap, sizeof(struct claim *));
        if (c->n > 0)
            memcpy(list, c->list, c->n * sizeof(struct claim *));
        c->list = list;
        c->cap = cap;
    }
    struct claim *made = arena_alloc(c->a, sizeof *made);
    made->recipient = arena_dup(c->a, address);
    c->list[c->n++] = made;
    if (c->n == FEW + 1) {
        for (size_t i = 0; i < c->n; i++)
            enter(c, c->list[i]);
    } else if (c->n > FEW) {
        enter(c, made);
    }
    return made;
}

struct claim *
claims_name_unknown(struct claims *c, struct str address)
{
    struct claim *unknown = NULL;
    for (size_t i = 0; i < c->n; i++) {
        struct str r = c->list[i]->recipient;
        if (r.n > 0 && str_find_char(r, '/') < 0 && r.p[0] != '@' &&
            r.p[0] != '|')
            continue;
        if (unknown != NULL)
            return NULL;
        unknown = c->list[i];
    }
    if (unknown != NULL)
        unknown->recipient = arena_dup(c->a, address);
    return unknown;
}

void
claim_say(struct claim *c, struct str line)
{
    if (c->text.n + line.n + 1 > CLAIM_TEXT_LONGEST)
        line = str_first(line, CLAIM_TEXT_LONGEST -
                                   math_min(c->text.n + 1, CLAIM_TEXT_LONGEST));
    if (c->text.n >= CLAIM_TEXT_LONGEST)
        return;
    buf_add(&c->text, line);
    buf_add_char(&c->text, '\n');
}
