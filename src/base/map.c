/* SPDX-License-Identifier: ISC */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/alloc.h"

static uint64_t process_seed;

void
map_seed(uint64_t seed)
{
    process_seed = seed;
}

static void
free_keys(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
}

void
map_fini(struct map *m)
{
    free_keys(m);
    free(m->slots);
    *m = (struct map){0};
}

uint64_t
map_hash_seeded(uint64_t seed, struct str key)
{
    return XXH3_64bits_withSeed(key.p, key.n, seed);
}

uint64_t
map_hash(struct str key)
{
    return map_hash_seeded(process_seed, key);
}

/* The slot of this key, or the first never used one on its way. */
static struct map_slot *
find_slot(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].key != NULL) {
        struct map_slot *s = &m->slots[i];
        if (s->hash == hash && str_eq(str_from_n(s->key, s->key_n), key))
            return s;
        i = (i + 1) & (m->cap - 1);
    }
    return &m->slots[i];
}

void *
map_get(const struct map *m, struct str key)
{
    if (m->cap == 0)
        return NULL;
    return find_slot(m, key, map_hash(key))->value;
}

static void
rebuild(struct map *m)
{
    struct map fresh = {.cap = 16};
    while (fresh.cap < m->count * 4)
        fresh.cap *= 2;
    fresh.slots = alloc_array(fresh.cap, sizeof *fresh.slots);
    for (size_t i = 0; i < m->cap; i++) {
        struct map_slot *old = &m->slots[i];
        if (old->value == NULL) {
            free(old->key);
            continue;
        }
        *find_slot(&fresh, str_from_n(old->key, old->key_n), old->hash) = *old;
        fresh.used++;
        fresh.count++;
    }
    free(m->slots);
    *m = fresh;
}

void *
map_put(struct map *m, struct str key, void *value)
{
    assert(value != NULL);
    if ((m->used + 1) * 4 > m->cap * 3)
        rebuild(m);
    uint64_t hash = map_hash(key);
    struct map_slot *s = find_slot(m, key, hash);
    void *earlier = s->value;
    if (s->key == NULL) {
        s->key = alloc_zero(key.n + 1);
        if (key.n > 0)
            memcpy(s->key, key.p, key.n);
        s->key_n = key.n;
        s->hash = hash;
        m->used++;
    }
    s->value = value;
    m->count += earlier == NULL;
    return earlier;
}

void *
map_remove(struct map *m, struct str key)
{
    if (m->cap == 0)
        return NULL;
    struct map_slot *s = find_slot(m, key, map_hash(key));
    void *earlier = s->value;
    s->value = NULL;
    m->count -= earlier != NULL;
    return earlier;
}

bool
map_next(const struct map *m, size_t *i, struct str *key, void **value)
{
    while (*i < m->cap) {
        const struct map_slot *s = &m->slots[(*i)++];
        if (s->value == NULL)
            continue;
        *key = str_from_n(s->key, s->key_n);
        *value = s->value;
        return true;
    }
    return false;
}
