/* SPDX-License-Identifier: ISC */
#include "room/ledger.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/wire.h"
#include "os/memfd.h"

enum {
    SLOTS = 1 << 16, /* accounts that have sent within a day */
    PROBES = 32,
    FORMAT = 1,
    HOUR_S = 3600,
    DAY_S = 24 * 3600,
};

/* A count: the second its window began, above how many. One word, so that it is
 * whole whoever writes. */
struct slot {
    _Atomic uint64_t key; /* 0: free */
    _Atomic uint64_t counts[BOOK_LIMITS];
};

struct table {
    _Atomic uint64_t changes;
    struct slot slots[SLOTS];
};

struct ledger {
    struct table *table;
};

static const uint32_t periods[BOOK_LIMITS] = {
    [BOOK_MESSAGES_HOUR] = HOUR_S,
    [BOOK_MESSAGES_DAY] = DAY_S,
    [BOOK_RECIPIENTS_HOUR] = HOUR_S,
    [BOOK_RECIPIENTS_DAY] = DAY_S,
};

struct ledger *
ledger_make(int *fd, struct err *e)
{
    *fd = memfd_shared("ledger", sizeof(struct table), e);
    if (*fd < 0)
        return NULL;
    void *table = memfd_map(*fd, sizeof(struct table));
    if (table == NULL) {
        (void)err_sys(e, "map", "the ledger");
        return NULL;
    }
    struct ledger *l = alloc_zero(sizeof *l);
    l->table = table;
    return l;
}

struct ledger *
ledger_map(int fd)
{
    void *table = memfd_map(fd, sizeof(struct table));

    (void)close(fd);
    if (table == NULL)
        return NULL;
    struct ledger *l = alloc_zero(sizeof *l);
    l->table = table;
    return l;
}

void
ledger_free(struct ledger *l)
{
    if (l == NULL)
        return;
    memfd_unmap(l->table, sizeof(struct table));
    free(l);
}

/* ---- one count ----------------------------------------------------------- */

static uint32_t
began(uint64_t count)
{
    return (uint32_t)(count >> 32);
}

static uint32_t
number(uint64_t count)
{
    return (uint32_t)count;
}

static uint64_t
join(uint32_t began_s, uint32_t n)
{
    return (uint64_t)began_s << 32 | n;
}

static uint32_t
seconds(struct instant now)
{
    return now.wall_ms > 0 ? (uint32_t)(now.wall_ms / 1000) : 0;
}

/* A clock that was set back does not lengthen a window; the clocks of two loops
 * differ by the length of a turn. */
static bool
is_over(uint64_t count, uint32_t period, uint32_t now_s)
{
    enum { APART_S = 60 };
    int64_t age = (int64_t)now_s - began(count);
    return age < -APART_S || age >= period;
}

/* false: it would be more than the limit; *until_s. */
static bool
add(_Atomic uint64_t *at, uint32_t n, uint32_t limit, uint32_t period,
    uint32_t now_s, uint32_t *until_s)
{
    uint64_t old = atomic_load(at), fresh;

    do {
        uint64_t count = is_over(old, period, now_s) ? join(now_s, 0) : old;
        if (number(count) > limit || n > limit - number(count)) {
            *until_s = began(count) + period;
            return false;
        }
        fresh = count + n;
    } while (!atomic_compare_exchange_weak(at, &old, fresh));
    return true;
}

static void
subtract(_Atomic uint64_t *at, uint32_t n, uint32_t period, uint32_t now_s)
{
    uint64_t old = atomic_load(at);

    while (!is_over(old, period, now_s) && number(old) >= n &&
           !atomic_compare_exchange_weak(at, &old, old - n))
        continue;
}

/* ---- slots --------------------------------------------------------------- */

/* FNV-1a, mixed. Accounts are made by the admin: nobody chooses names that
 * collide. Two that do are counted together. */
static uint64_t
hash(struct str account)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < account.n; i++)
        h = (h ^ (unsigned char)account.p[i]) * 0x100000001b3;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93;
    h ^= h >> 32;
    return h != 0 ? h : 1;
}

static bool
is_idle(const struct slot *s, uint32_t now_s)
{
    for (size_t i = 0; i < BOOK_LIMITS; i++)
        if (!is_over(atomic_load(&s->counts[i]), DAY_S, now_s))
            return false;
    return true;
}

static struct slot *
find(struct table *t, uint64_t key)
{
    for (uint64_t i = 0; i < PROBES; i++) {
        struct slot *s = &t->slots[(key + i) % SLOTS];
        if (atomic_load(&s->key) == key)
            return s;
    }
    return NULL;
}

/* NULL: no room, which lets the account send. Two processes that make one for
 * the same account at the same moment may each get one: then it is counted in
 * the first of them from the next time on. */
static struct slot *
find_or_make(struct table *t, uint64_t key, uint32_t now_s)
{
    struct slot *s = find(t, key);

    for (uint64_t i = 0; i < PROBES && s == NULL; i++) {
        struct slot *free_one = &t->slots[(key + i) % SLOTS];
        uint64_t old = atomic_load(&free_one->key);
        if ((old == 0 || is_idle(free_one, now_s)) &&
            atomic_compare_exchange_strong(&free_one->key, &old, key))
            s = free_one;
    }
    return s;
}

/* ---- accounts -------------------------------------------------------------
 */

static bool
is_limited(uint32_t limit)
{
    return limit != 0 && limit != BOOK_UNLIMITED;
}

bool
ledger_take(struct ledger *l, struct str account,
            const struct book_limits *limits, const struct ledger_want *want,
            struct instant now, struct ledger_full *full)
{
    struct ledger_want taken = {0};
    struct slot *s = NULL;
    uint32_t now_s = seconds(now), until_s;

    for (size_t i = 0; i < BOOK_LIMITS; i++) {
        if (want->n[i] == 0 || !is_limited(limits->n[i]))
            continue;
        if (s == NULL)
            s = find_or_make(l->table, hash(account), now_s);
        if (s == NULL)
            return true;
        if (!add(&s->counts[i], want->n[i], limits->n[i], periods[i], now_s,
                 &until_s)) {
            *full = (struct ledger_full){.which = (enum book_limit)i,
                                         .limit = limits->n[i],
                                         .until_ms = (int64_t)until_s * 1000};
            ledger_give_back(l, account, limits, &taken, now);
            return false;
        }
        taken.n[i] = want->n[i];
    }
    if (s != NULL)
        (void)atomic_fetch_add(&l->table->changes, 1);
    return true;
}

void
ledger_give_back(struct ledger *l, struct str account,
                 const struct book_limits *limits,
                 const struct ledger_want *want, struct instant now)
{
    struct slot *s = find(l->table, hash(account));

    for (size_t i = 0; s != NULL && i < BOOK_LIMITS; i++)
        if (want->n[i] > 0 && is_limited(limits->n[i]))
            subtract(&s->counts[i], want->n[i], periods[i], seconds(now));
    (void)atomic_fetch_add(&l->table->changes, 1);
}

uint64_t
ledger_changes(const struct ledger *l)
{
    return atomic_load(&l->table->changes);
}

/* ---- on disk ----------------------------------------------------------------
 */

/* u8 format, then u64 key and a u64 for each count, to the end. */
void
ledger_save(const struct ledger *l, struct instant now, struct buf *to)
{
    wire_add_u8(to, FORMAT);
    for (size_t i = 0; i < SLOTS; i++) {
        const struct slot *s = &l->table->slots[i];
        uint64_t key = atomic_load(&s->key);
        if (key == 0 || is_idle(s, seconds(now)))
            continue;
        wire_add_u64(to, key);
        for (size_t k = 0; k < BOOK_LIMITS; k++)
            wire_add_u64(to, atomic_load(&s->counts[k]));
    }
}

bool
ledger_load(struct ledger *l, struct str octets, struct instant now)
{
    enum { RECORD = 8 * (1 + BOOK_LIMITS) };
    struct wire in = wire_from(octets);

    if (wire_u8(&in) != FORMAT || in.bad || in.n % RECORD != 0 ||
        in.n / RECORD > SLOTS)
        return false;
    while (in.n > 0) {
        uint64_t key = wire_u64(&in);
        struct slot *s =
            key == 0 ? NULL : find_or_make(l->table, key, seconds(now));
        for (size_t k = 0; k < BOOK_LIMITS; k++) {
            uint64_t count = wire_u64(&in);
            if (s != NULL)
                atomic_store(&s->counts[k], count);
        }
    }
    return true;
}
