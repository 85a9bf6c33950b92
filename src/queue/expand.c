/* SPDX-License-Identifier: ISC */
#include "queue/expand.h"

#include "mail/address.h"

struct expand_entry {
    uint32_t index;
    struct expand_entry *parent; /* the alias it came from, or NULL */
};

/* Addresses that cannot be parsed are compared as written: they are refused
 * when their turn comes, once each. */
static struct str
key_of(struct arena *a, struct str text)
{
    struct address address;
    struct str key = STR_EMPTY;

    if (address_parse(text, &address))
        key = address_key(a, &address);
    return key.n > 0 ? key : text;
}

static struct expand_entry *
find_index(const struct expand *x, uint32_t index)
{
    return map_get(&x->by_index, str_from_n(&index, sizeof index));
}

static void
add(struct expand *x, uint32_t index, struct str address,
    struct expand_entry *parent)
{
    struct expand_entry *e = arena_alloc(x->arena, sizeof *e);
    struct str key = key_of(x->arena, address);

    e->index = index;
    e->parent = parent;
    if (map_get(&x->by_key, key) == NULL)
        (void)map_put(&x->by_key, key, e);
    (void)map_put(&x->by_index, str_from_n(&index, sizeof index), e);
}

void
expand_init(struct expand *x, struct arena *a, const struct spool_rcpt *rcpts,
            size_t n)
{
    *x = (struct expand){.arena = a};
    for (size_t i = 0; i < n; i++)
        add(x, rcpts[i].index, rcpts[i].address, NULL);
    for (size_t i = 0; i < n; i++) {
        struct expand_entry *e = find_index(x, rcpts[i].index);
        if (rcpts[i].parent != rcpts[i].index)
            e->parent = find_index(x, rcpts[i].parent);
    }
}

void
expand_fini(struct expand *x)
{
    map_fini(&x->by_key);
    map_fini(&x->by_index);
}

/* Is `e` the alias itself or one that led to it? */
static bool
is_ancestor(const struct expand_entry *e, const struct expand_entry *alias)
{
    while (alias != NULL && alias != e)
        alias = alias->parent;
    return alias != NULL;
}

/* Bounded: what a damaged record says about parents may be a ring. Who is
 * found too deep here is not walked up again. */
static unsigned
depth_of(const struct expand_entry *e)
{
    unsigned depth = 0;
    for (; e->parent != NULL && depth <= EXPAND_DEPTH; e = e->parent)
        depth++;
    return depth;
}

enum expand_result
expand_targets(struct expand *x, uint32_t alias, struct str *targets, size_t *n)
{
    struct expand_entry *self = find_index(x, alias);
    struct map seen = {0};
    size_t kept = 0;
    bool elsewhere = false;

    if (self == NULL)
        return EXPAND_LOOP;
    if (depth_of(self) >= EXPAND_DEPTH)
        return EXPAND_TOO_DEEP;
    for (size_t i = 0; i < *n; i++) {
        struct str key = key_of(x->arena, targets[i]);
        struct expand_entry *there = map_get(&x->by_key, key);
        if (there != NULL) {
            elsewhere = elsewhere || !is_ancestor(there, self);
            continue;
        }
        if (map_put(&seen, key, self) == NULL)
            targets[kept++] = targets[i];
    }
    map_fini(&seen);
    *n = kept;
    if (kept > 0)
        return EXPAND_OK;
    return elsewhere ? EXPAND_NOTHING_NEW : EXPAND_LOOP;
}

void
expand_added(struct expand *x, uint32_t alias, const struct str *targets,
             const uint32_t *indexes, size_t n)
{
    struct expand_entry *self = find_index(x, alias);
    for (size_t i = 0; i < n; i++)
        add(x, indexes[i], targets[i], self);
}
