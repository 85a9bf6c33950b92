/* SPDX-License-Identifier: ISC */
#include "receive/crowd.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/map.h"
#include "book/network.h"

enum {
    MINUTE_MS = 60 * 1000,
    KEY_MAX = 64,
    NETWORKS_MAX = 100000, /* then those that nobody is in are forgotten */
};

struct crowd_network {
    char key[KEY_MAX];
    size_t key_n;
    uint32_t connections;
    uint32_t came; /* since `from_ms` */
    int64_t from_ms;
};

struct crowd {
    struct map networks; /* key -> struct crowd_network */
    struct arena scratch;
};

struct crowd *
crowd_new(void)
{
    return alloc_zero(sizeof(struct crowd));
}

static void
forget_empty(struct crowd *c, int64_t now_ms)
{
    struct str key;
    void *value;
    for (size_t i = 0; map_next(&c->networks, &i, &key, &value);) {
        struct crowd_network *n = value;
        if (n->connections == 0 && now_ms - n->from_ms >= MINUTE_MS)
            free(map_remove(&c->networks, key));
    }
}

void
crowd_free(struct crowd *c)
{
    if (c == NULL)
        return;
    forget_empty(c, INT64_MAX);
    map_fini(&c->networks);
    arena_fini(&c->scratch);
    free(c);
}

static struct str
network_of(struct crowd *c, struct str client)
{
    const char *bits = str_find_char(client, ':') >= 0 ? "56" : "24";
    return network_key(&c->scratch, arena_printf(&c->scratch, "%.*s/%s",
                                                 STR_ARG(client), bits));
}

struct crowd_network *
crowd_enter(struct crowd *c, struct str client, int64_t now_ms)
{
    struct str key = network_of(c, client);
    struct crowd_network *n = NULL;
    if (key.n > 0 && key.n < KEY_MAX) {
        n = map_get(&c->networks, key);
        if (n == NULL) {
            if (c->networks.count >= NETWORKS_MAX)
                forget_empty(c, now_ms);
            n = alloc_zero(sizeof *n);
            memcpy(n->key, key.p, key.n);
            n->key_n = key.n;
            n->from_ms = now_ms;
            (void)map_put(&c->networks, key, n);
        }
        if (now_ms - n->from_ms >= MINUTE_MS) {
            n->from_ms = now_ms;
            n->came = 0;
        }
        n->connections++;
        n->came++;
    }
    arena_reset(&c->scratch);
    return n;
}

void
crowd_leave(struct crowd *c, struct crowd_network *n, int64_t now_ms)
{
    if (n == NULL)
        return;
    n->connections--;
    if (n->connections == 0 && now_ms - n->from_ms >= MINUTE_MS)
        free(map_remove(&c->networks, str_from_n(n->key, n->key_n)));
}

uint32_t
crowd_connections(const struct crowd_network *n)
{
    return n->connections;
}

uint32_t
crowd_rate(const struct crowd_network *n)
{
    return n->came;
}
