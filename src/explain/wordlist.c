/* SPDX-License-Identifier: ISC */
#include "explain/wordlist.h"

#include <assert.h>

#include "base/ascii.h"

static struct str
word_at(const struct wordlist *l, size_t i)
{
    const char *p = (const char *)l->words + i * l->step;
    return str_from(*(const char *const *)(const void *)p);
}

static void
mark(uint64_t *octets, char c, uint64_t bit)
{
    unsigned char lower = ascii_lower((unsigned char)c);
    octets[lower] |= bit;
    if (lower >= 'a' && lower <= 'z')
        octets[lower - 'a' + 'A'] |= bit;
}

static void
make_ready(struct wordlist *l)
{
    assert(l->n <= 64);
    for (size_t i = 0; i < l->n; i++) {
        struct str word = word_at(l, i);
        assert(word.n >= 2);
        mark(l->first, word.p[0], UINT64_C(1) << i);
        mark(l->second, word.p[1], UINT64_C(1) << i);
    }
    l->ready = true;
}

/* The words that stand in the text, one only where one is enough. */
static uint64_t
find(struct wordlist *l, struct str text, bool one)
{
    uint64_t found = 0;
    if (!l->ready)
        make_ready(l);
    for (size_t i = 0; i + 1 < text.n; i++) {
        uint64_t may = l->first[(unsigned char)text.p[i]] &
                       l->second[(unsigned char)text.p[i + 1]] & ~found;
        for (; may != 0; may &= may - 1) {
            size_t k = (size_t)__builtin_ctzll(may);
            if (!str_starts_nocase(str_from_pos(text, i), word_at(l, k)))
                continue;
            found |= UINT64_C(1) << k;
            if (one)
                return found;
        }
    }
    return found;
}

bool
wordlist_any(struct wordlist *l, struct str text)
{
    return find(l, text, true) != 0;
}

ssize_t
wordlist_first(struct wordlist *l, struct str text)
{
    uint64_t found = find(l, text, false);
    for (ssize_t i = 0; i < 64; i++)
        if ((found >> i & 1) != 0)
            return i;
    return -1;
}
