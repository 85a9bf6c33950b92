/* SPDX-License-Identifier: ISC */
#include "directory/remember.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "os/sandbox.h"

enum { GOOD_MS = 5 * 60 * 1000, ENTRIES_MAX = 10000 };

struct entry {
    int64_t until_ms; /* mono */
    unsigned char digest[DIGEST_OCTETS];
};

void
remember_init(struct remember *r)
{
    *r = (struct remember){0};
    sandbox_random(r->key, sizeof r->key);
}

static void
discard(struct entry *e)
{
    if (e != NULL)
        alloc_wipe(e, sizeof *e);
    free(e);
}

void
remember_fini(struct remember *r)
{
    struct str account;
    void *entry;

    for (size_t i = 0; map_next(&r->entries, &i, &account, &entry);)
        discard(entry);
    map_fini(&r->entries);
    alloc_wipe(r->key, sizeof r->key);
}

static void
digest(const struct remember *r, struct str account, struct str hash,
       struct str password, unsigned char out[DIGEST_OCTETS])
{
    const struct str parts[] = {account, hash, password};
    digest_keyed(str_from_n(r->key, sizeof r->key), parts, 3, out);
}

/* The time tells nothing of where they differ. */
static bool
same(const unsigned char *a, const unsigned char *b)
{
    unsigned differ = 0;
    for (size_t i = 0; i < DIGEST_OCTETS; i++)
        differ |= (unsigned)(a[i] ^ b[i]);
    return differ == 0;
}

bool
remember_knows(struct remember *r, struct str account, struct str hash,
               struct str password, struct instant now)
{
    unsigned char got[DIGEST_OCTETS];
    const struct entry *e = map_get(&r->entries, account);

    if (e == NULL)
        return false;
    if (now.mono_ms >= e->until_ms) {
        remember_forget(r, account);
        return false;
    }
    digest(r, account, hash, password, got);
    return same(got, e->digest);
}

/* All at once are dropped: a busy server finds them again in minutes. */
static void
make_room(struct remember *r, int64_t now_ms)
{
    struct str account;
    void *value;

    if (r->entries.count < ENTRIES_MAX)
        return;
    for (size_t i = 0; map_next(&r->entries, &i, &account, &value);) {
        const struct entry *e = value;
        if (now_ms >= e->until_ms || r->entries.count > ENTRIES_MAX / 2)
            remember_forget(r, account);
    }
}

void
remember_good(struct remember *r, struct str account, struct str hash,
              struct str password, struct instant now)
{
    make_room(r, now.mono_ms);
    struct entry *e = alloc_zero(sizeof *e);
    e->until_ms = now.mono_ms + GOOD_MS;
    digest(r, account, hash, password, e->digest);
    discard(map_put(&r->entries, account, e));
}

void
remember_forget(struct remember *r, struct str account)
{
    discard(map_remove(&r->entries, account));
}
