/* SPDX-License-Identifier: ISC */
/*
 * A hash map from byte strings to pointers. Keys are copied, values are the
 * caller's. The hash is seeded per process, so a stranger who chooses keys
 * cannot choose collisions.
 *
 *     struct map m = {0};
 *     map_put(&m, STR("example.com"), dest);
 *     struct dest *d = map_get(&m, STR("example.com"));
 *     map_fini(&m);
 */
#pragma once

#include "base/str.h"

struct map_slot {
    char *key; /* NULL: never used */
    size_t key_n;
    uint64_t hash;
    void *value; /* NULL with a key: removed */
};

struct map {
    struct map_slot *slots;
    size_t cap;   /* a power of two, or 0 */
    size_t used;  /* slots with a key, removed ones too */
    size_t count; /* values */
};

/* Once at start, with random octets; before the first map is used. */
void map_seed(uint64_t seed);

/* For other tables with keys of strangers. */
uint64_t map_hash(struct str key);
/* The same for a table that processes share: the seed is in it. */
uint64_t map_hash_seeded(uint64_t seed, struct str key);

void map_fini(struct map *m); /* the values are not freed */
void *map_get(const struct map *m, struct str key); /* NULL: not there */
/* value must not be NULL; an earlier one is returned, else NULL. */
void *map_put(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key); /* what was there, or NULL */

/* for (size_t i = 0; map_next(&m, &i, &key, &value);) ...
 * Removing the current key inside the loop is allowed, putting is not. */
bool map_next(const struct map *m, size_t *i, struct str *key, void **value);
