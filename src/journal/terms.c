/* SPDX-License-Identifier: ISC */
#include "journal/terms.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/ascii.h"

enum { TEXT_MAX = 512 };

struct list {
    uint64_t seed;
    uint64_t *out;
    size_t n;
};

uint64_t
terms_hash(uint64_t seed, enum term kind, struct str text)
{
    char word[TEXT_MAX + 1];
    size_t n = text.n < TEXT_MAX ? text.n : TEXT_MAX;

    word[0] = (char)('a' + kind);
    for (size_t i = 0; i < n; i++)
        word[i + 1] = kind == TERM_ID
                          ? text.p[i]
                          : (char)ascii_lower((unsigned char)text.p[i]);
    return XXH3_64bits_withSeed(word, n + 1, seed);
}

static void
add(struct list *l, enum term kind, struct str text)
{
    if (text.n > 0 && l->n < TERMS_MAX)
        l->out[l->n++] = terms_hash(l->seed, kind, text);
}

static void
add_address(struct list *l, enum term kind, struct str address)
{
    ssize_t at = str_rfind_char(address, '@');

    add(l, kind, address);
    if (at >= 0)
        add(l, TERM_DOMAIN, str_from_pos(address, (size_t)at + 1));
}

size_t
terms_of(const struct journal_event *e, uint64_t seed, uint64_t out[TERMS_MAX])
{
    struct list l = {.seed = seed, .out = out};
    struct str rest = e->recipient, one;

    add(&l, TERM_ID, e->incident);
    add(&l, TERM_ID, e->message);
    add(&l, TERM_ID, e->session);
    add(&l, TERM_ID, e->related);
    add(&l, TERM_CLIENT, e->client);
    add(&l, TERM_USER, e->user);
    add(&l, TERM_REASON, e->reason);
    add_address(&l, TERM_SENDER, e->sender);
    add_address(&l, TERM_RECIPIENT, e->alias);
    while (rest.n > 0) {
        (void)str_cut(rest, '\n', &one, &rest);
        add_address(&l, TERM_RECIPIENT, one);
    }
    return l.n;
}

static bool
is_among(uint64_t word, const uint64_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == word)
            return true;
    return false;
}

bool
terms_hold(const struct journal_event *e, uint64_t seed, const uint64_t *words,
           size_t n)
{
    uint64_t own[TERMS_MAX];
    size_t n_own = terms_of(e, seed, own);

    for (size_t i = 0; i < n; i++)
        if (!is_among(words[i], own, n_own))
            return false;
    return true;
}
