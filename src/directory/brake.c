/* SPDX-License-Identifier: ISC */
#include "directory/brake.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/math.h"
#include "base/wire.h"

enum {
    FORGET_MS = 30 * 60 * 1000,
    ENTRIES_MAX = 100000,
    DELAY_MS = 1000,
    DELAY_MAX_MS = 10 * 1000,
    KEY_MAX = 640, /* an address, a network and what is between them */
    PART_MAX = 320,
    FORMAT = 1,
};
#define KNOWN_MS ((int64_t)30 * 24 * 3600 * 1000)

/* Keys: "u" account, "n" network, "k" account NUL network. */
struct brake_entry {
    uint32_t failures;
    int64_t last_ms; /* wall; of the last of them */
    int64_t good_ms; /* wall; "k": the last success, 0: none */
    int64_t free_ms; /* mono; when the last attempt that waits is checked */
};

void
brake_fini(struct brake *b)
{
    struct str key;
    void *entry;

    for (size_t i = 0; map_next(&b->entries, &i, &key, &entry);)
        free(entry);
    map_fini(&b->entries);
}

/* ---- keys -------------------------------------------------------------- */

/* "192.0.2.7" -> "192.0.2"; "2001:db8:0:1::7" -> "2001:db8:0:1", which is the
 * same network as "2001:db8:0:1:2:3:4:5". Zeros at its end may be written or
 * be part of the "::". Empty: not counted, behind the own host's address stand
 * all the users of a web mailer. */
static struct str
network(struct str client)
{
    if (client.n == 0 || str_starts(client, STR("127.")) ||
        str_eq(client, STR("::1")))
        return STR_EMPTY;
    client = str_first(client, PART_MAX);
    if (str_find_char(client, ':') < 0) {
        ssize_t dot = str_rfind_char(client, '.');
        return dot < 0 ? client : str_first(client, (size_t)dot);
    }
    ssize_t zeros = str_find(client, STR("::"));
    struct str net = zeros < 0 ? client : str_first(client, (size_t)zeros);
    size_t groups = 0;
    for (size_t i = 0; i < net.n; i++)
        if (net.p[i] == ':' && ++groups == 4)
            net.n = i;
    while (str_ends(net, STR(":0")))
        net.n -= 2;
    return net;
}

/* The entries that one attempt is about. */
struct keys {
    struct buf account, network, pair; /* network empty: not counted */
};

static void
keys_init(struct keys *k, struct str account, struct str client)
{
    struct str net = network(client);

    *k = (struct keys){0};
    account = str_first(account, PART_MAX);
    buf_add_char(&k->account, 'u');
    buf_add_lower(&k->account, account);
    buf_add_char(&k->pair, 'k');
    buf_add_lower(&k->pair, account);
    buf_add_char(&k->pair, '\0');
    buf_add(&k->pair, net);
    if (net.n > 0) {
        buf_add_char(&k->network, 'n');
        buf_add(&k->network, net);
    }
}

static void
keys_fini(struct keys *k)
{
    buf_fini(&k->account);
    buf_fini(&k->network);
    buf_fini(&k->pair);
}

/* ---- entries ----------------------------------------------------------- */

static bool
is_over(const struct brake_entry *e, int64_t wall_ms, int64_t forget_ms)
{
    // A clock that was set back must not keep anybody out for long.
    bool failed = e->failures > 0 && e->last_ms <= wall_ms + FORGET_MS &&
                  wall_ms - e->last_ms <= forget_ms;
    return !failed && (e->good_ms == 0 || wall_ms - e->good_ms > KNOWN_MS);
}

static void
drop_older(struct brake *b, int64_t wall_ms, int64_t forget_ms)
{
    struct str key;
    void *entry;

    for (size_t i = 0; map_next(&b->entries, &i, &key, &entry);)
        if (is_over(entry, wall_ms, forget_ms))
            free(map_remove(&b->entries, key));
}

/* A flood of names costs a bounded amount of memory: the younger stay. */
static void
make_room(struct brake *b, int64_t wall_ms)
{
    static const int64_t ages[] = {FORGET_MS, 300000, 60000, 5000, -1};

    if (b->entries.count < ENTRIES_MAX)
        return;
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        drop_older(b, wall_ms, ages[i]);
        if (b->entries.count <= (size_t)ENTRIES_MAX / 4 * 3)
            return;
    }
    brake_fini(b); // all known pairs: rather forget those
}

static struct brake_entry *
find(const struct brake *b, const struct buf *key)
{
    return key->n == 0 ? NULL : map_get(&b->entries, buf_str(key));
}

static struct brake_entry *
find_or_make(struct brake *b, const struct buf *key, int64_t wall_ms)
{
    struct brake_entry *e = find(b, key);

    if (e == NULL && key->n > 0) {
        make_room(b, wall_ms);
        e = alloc_zero(sizeof *e);
        (void)map_put(&b->entries, buf_str(key), e);
    }
    return e;
}

static bool
is_known(const struct brake_entry *pair, int64_t wall_ms)
{
    return pair != NULL && pair->good_ms > 0 &&
           wall_ms - pair->good_ms <= KNOWN_MS;
}

/* When an attempt would be checked; mono. */
static int64_t
turn_of(const struct brake *b, struct brake_entry *e, struct instant now)
{
    int64_t delay = DELAY_MS;

    if (e == NULL)
        return now.mono_ms;
    if (e->last_ms > now.wall_ms + FORGET_MS ||
        now.wall_ms - e->last_ms > FORGET_MS)
        e->failures = 0;
    if (b->failures == 0 || e->failures + 1 < b->failures)
        return now.mono_ms;
    for (uint32_t i = b->failures; i <= e->failures && delay < DELAY_MAX_MS;
         i++)
        delay *= 2;
    int64_t begin = e->free_ms > now.mono_ms ? e->free_ms : now.mono_ms;
    return begin + (delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS);
}

static void
note(struct brake_entry *e, int64_t turn_ms, struct instant now)
{
    if (e == NULL)
        return;
    e->failures += e->failures < UINT32_MAX ? 1 : 0;
    e->last_ms = now.wall_ms;
    if (turn_ms > now.mono_ms)
        e->free_ms = turn_ms;
}

int64_t
brake_begin(struct brake *b, struct str account, struct str client,
            struct instant now)
{
    struct keys k;

    keys_init(&k, account, client);
    struct brake_entry *pair = find(b, &k.pair);
    bool known = is_known(pair, now.wall_ms);
    int64_t turn = turn_of(b, known ? pair : find(b, &k.account), now);
    int64_t other = known ? turn : turn_of(b, find(b, &k.network), now);
    if (other > turn)
        turn = other;
    bool refused = turn - now.mono_ms > BRAKE_WAIT_MS;
    if (!refused) {
        b->changed = true;
        note(known ? pair : find_or_make(b, &k.account, now.wall_ms), turn,
             now);
        note(find_or_make(b, &k.network, now.wall_ms), known ? 0 : turn, now);
    }
    keys_fini(&k);
    return refused ? -1 : turn - now.mono_ms;
}

static void
take_back(struct brake_entry *e)
{
    if (e != NULL && e->failures > 0)
        e->failures--;
}

void
brake_undo(struct brake *b, struct str account, struct str client,
           struct instant now)
{
    struct keys k;

    keys_init(&k, account, client);
    struct brake_entry *pair = find(b, &k.pair);
    take_back(is_known(pair, now.wall_ms) ? pair : find(b, &k.account));
    take_back(find(b, &k.network));
    keys_fini(&k);
}

/* The pair is forgiven. The account and the network only what this attempt
 * added: others may be guessing at the one, from the other. */
void
brake_succeeded(struct brake *b, struct str account, struct str client,
                struct instant now)
{
    struct keys k;

    brake_undo(b, account, client, now);
    keys_init(&k, account, client);
    struct brake_entry *pair = find_or_make(b, &k.pair, now.wall_ms);
    if (pair != NULL) { // a name without a network, or none, has no pair
        pair->failures = 0;
        pair->good_ms = now.wall_ms;
    }
    b->changed = true;
    keys_fini(&k);
}

/* ---- on disk ----------------------------------------------------------- */

/* u8 format, u32 count, then str key, u32 failures, i64 last, i64 good each. */
void
brake_save(struct brake *b, struct buf *to)
{
    struct str key;
    void *value;

    wire_add_u8(to, FORMAT);
    wire_add_u32(to, (uint32_t)b->entries.count);
    for (size_t i = 0; map_next(&b->entries, &i, &key, &value);) {
        const struct brake_entry *e = value;
        wire_add_str(to, key);
        wire_add_u32(to, e->failures);
        wire_add_i64(to, e->last_ms);
        wire_add_i64(to, e->good_ms);
    }
    b->changed = false;
}

static bool
load_entry(struct brake *b, struct wire *in)
{
    struct str key = wire_str(in);
    struct brake_entry e = {.failures = wire_u32(in),
                            .last_ms = wire_i64(in),
                            .good_ms = wire_i64(in)};

    if (in->bad || key.n == 0 || key.n > KEY_MAX || e.last_ms < 0 ||
        e.good_ms < 0)
        return false;
    struct brake_entry *kept = alloc_zero(sizeof *kept);
    *kept = e;
    free(map_put(&b->entries, key, kept));
    return true;
}

bool
brake_load(struct brake *b, struct str octets)
{
    enum { ENTRY_LEAST = 4 + 4 + 8 + 8 };
    struct wire in = wire_from(octets);
    bool ok = wire_u8(&in) == FORMAT;
    uint32_t n = wire_count(&in, ENTRY_LEAST);

    ok = ok && n <= ENTRIES_MAX + 2;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = load_entry(b, &in);
    if (ok && wire_done(&in))
        return true;
    brake_fini(b);
    return false;
}
