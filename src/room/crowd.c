/* SPDX-License-Identifier: ISC */
#include "room/crowd.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/map.h"
#include "book/network.h"
#include "os/memfd.h"

enum {
    MINUTE_S = 60,
    SEATS = 64,         /* receive processes, those that a reload drains too */
    NETWORKS = 1 << 15, /* a seat; then those that nobody is in make room */
    PROBES = 64,
    PAGE = 4096,
};

/* Written by the process whose seat it is in. rate: the second in which its
 * minute began, above how many came in it. */
struct crowd_network {
    _Atomic uint64_t key; /* 0: never used, and nothing is behind it */
    _Atomic uint64_t rate;
    _Atomic uint32_t connections;
};

struct seat {
    struct crowd_network networks[NETWORKS];
};

struct head {
    uint64_t seed;
    _Atomic uint64_t owners[SEATS]; /* incarnations; 0: free */
};

struct table {
    union {
        struct head head;
        char page[PAGE];
    };
    struct seat seats[SEATS];
};

struct crowd {
    int fd;              /* master's; -1 */
    struct table *table; /* NULL: alone */
    struct seat *seat;   /* ours; NULL: master */
    struct arena scratch;
};

/* ---- seats --------------------------------------------------------------- */

struct crowd *
crowd_make(uint64_t seed, struct err *e)
{
    int fd = memfd_shared("crowd", sizeof(struct table), e);
    if (fd < 0)
        return NULL;
    struct table *table = memfd_map(fd, sizeof *table);
    if (table == NULL) {
        (void)err_sys(e, "map", "the counts of clients");
        (void)close(fd);
        return NULL;
    }
    table->head.seed = seed;
    struct crowd *c = alloc_zero(sizeof *c);
    *c = (struct crowd){.fd = fd, .table = table};
    return c;
}

int
crowd_fd(const struct crowd *c)
{
    return c->fd;
}

/* First empty, then free: the next owner must not find anybody. */
void
crowd_clear(struct crowd *c, uint64_t incarnation)
{
    struct table *t = c->table;
    for (size_t i = 0; i < SEATS; i++) {
        if (atomic_load(&t->head.owners[i]) != incarnation)
            continue;
        memset(&t->seats[i], 0, sizeof t->seats[i]);
        atomic_store(&t->head.owners[i], 0);
    }
}

struct crowd *
crowd_new(void)
{
    struct crowd *c = alloc_zero(sizeof *c);
    c->fd = -1;
    c->seat = alloc_zero(sizeof *c->seat);
    return c;
}

static struct seat *
sit_down(struct table *t, uint64_t incarnation)
{
    for (size_t i = 0; i < SEATS; i++) {
        uint64_t nobody = 0;
        if (atomic_compare_exchange_strong(&t->head.owners[i], &nobody,
                                           incarnation))
            return &t->seats[i];
    }
    return NULL;
}

bool
crowd_join(struct crowd *c, int fd, uint64_t incarnation)
{
    struct table *t = memfd_map(fd, sizeof *t);
    (void)close(fd);
    struct seat *seat = t != NULL ? sit_down(t, incarnation) : NULL;
    if (seat == NULL) {
        if (t != NULL)
            memfd_unmap(t, sizeof *t);
        return false;
    }
    free(c->seat);
    c->seat = seat;
    c->table = t;
    return true;
}

void
crowd_free(struct crowd *c)
{
    if (c == NULL)
        return;
    if (c->table != NULL)
        memfd_unmap(c->table, sizeof *c->table);
    else
        free(c->seat);
    if (c->fd >= 0)
        (void)close(c->fd);
    arena_fini(&c->scratch);
    free(c);
}

/* ---- networks ------------------------------------------------------------ */

/* 0: no address. */
static uint64_t
key_of(struct crowd *c, struct str client)
{
    const char *bits = str_find_char(client, ':') >= 0 ? "56" : "24";
    struct str network =
        network_key(&c->scratch, arena_printf(&c->scratch, "%.*s/%s",
                                              STR_ARG(client), bits));
    uint64_t seed = c->table != NULL ? c->table->head.seed : 0;
    uint64_t key = network.n > 0 ? map_hash_seeded(seed, network) | 1 : 0;
    arena_reset(&c->scratch);
    return key;
}

static size_t
place(uint64_t key, size_t i)
{
    return ((key >> 1) + i) % NETWORKS;
}

static const struct crowd_network *
find(const struct seat *s, uint64_t key)
{
    for (size_t i = 0; i < PROBES; i++) {
        const struct crowd_network *n = &s->networks[place(key, i)];
        uint64_t there = atomic_load(&n->key);
        if (there == key)
            return n;
        if (there == 0)
            break;
    }
    return NULL;
}

static uint32_t
second(int64_t now_ms)
{
    return (uint32_t)(now_ms / 1000);
}

/* How many of that minute's still count. */
static uint32_t
came(const struct crowd_network *n, uint32_t now_s)
{
    uint64_t rate = atomic_load(&n->rate);
    return now_s - (uint32_t)(rate >> 32) < MINUTE_S ? (uint32_t)rate : 0;
}

/* Nobody is in it, and its minute began before the other's. */
static bool
is_older(const struct crowd_network *n, const struct crowd_network *other)
{
    return atomic_load(&n->connections) == 0 &&
           (other == NULL ||
            atomic_load(&n->rate) >> 32 < atomic_load(&other->rate) >> 32);
}

static struct crowd_network *
find_or_make(struct seat *s, uint64_t key)
{
    struct crowd_network *oldest = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct crowd_network *n = &s->networks[place(key, i)];
        uint64_t there = atomic_load(&n->key);
        if (there == key)
            return n;
        if (there == 0) {
            oldest = n;
            break;
        }
        if (is_older(n, oldest))
            oldest = n;
    }
    if (oldest != NULL) {
        atomic_store(&oldest->rate, 0);
        atomic_store(&oldest->key, key);
    }
    return oldest;
}

struct crowd_network *
crowd_enter(struct crowd *c, struct str client, int64_t now_ms)
{
    uint64_t key = key_of(c, client);
    struct crowd_network *n = key != 0 ? find_or_make(c->seat, key) : NULL;
    if (n == NULL)
        return NULL;
    uint32_t now_s = second(now_ms), before = came(n, now_s);
    uint64_t began = before > 0 ? atomic_load(&n->rate) >> 32 : now_s;
    atomic_store(&n->rate, began << 32 | (before + 1));
    (void)atomic_fetch_add(&n->connections, 1);
    return n;
}

void
crowd_leave(struct crowd_network *n)
{
    if (n != NULL)
        (void)atomic_fetch_sub(&n->connections, 1);
}

/* ---- across all seats ---------------------------------------------------- */

/* *i: 0 at first. NULL: no more. */
static const struct crowd_network *
next_seat(const struct crowd *c, const struct crowd_network *n, size_t *i)
{
    const struct table *t = c->table;
    if (t == NULL)
        return (*i)++ == 0 ? n : NULL;
    for (; *i < SEATS; (*i)++) {
        if (atomic_load(&t->head.owners[*i]) == 0)
            continue;
        const struct crowd_network *there =
            find(&t->seats[*i], atomic_load(&n->key));
        if (there != NULL) {
            (*i)++;
            return there;
        }
    }
    return NULL;
}

uint32_t
crowd_connections(const struct crowd *c, const struct crowd_network *n)
{
    const struct crowd_network *there;
    uint32_t sum = 0;
    for (size_t i = 0; (there = next_seat(c, n, &i)) != NULL;)
        sum += atomic_load(&there->connections);
    return sum;
}

uint32_t
crowd_rate(const struct crowd *c, const struct crowd_network *n, int64_t now_ms)
{
    const struct crowd_network *there;
    uint32_t sum = 0;
    for (size_t i = 0; (there = next_seat(c, n, &i)) != NULL;)
        sum += came(there, second(now_ms));
    return sum;
}
