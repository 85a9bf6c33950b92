/* SPDX-License-Identifier: ISC */
/* Which senders an account has: the way back from it through the aliases. */
#include "book/book_internal.h"

static struct str *
names_of(const struct book *b, struct arena *a, struct str key, size_t *n)
{
    struct str value, *names = NULL;
    struct str prefixed = arena_printf(a, "n:%.*s", STR_ARG(key));

    *n = 0;
    if (b->find(b->ctx, prefixed, &value))
        names = book_names_decode(a, arena_dup(a, value), n);
    return names;
}

static bool
is_among(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

/* A catch-all stands for what nobody else has; of others the rule is asked: an
 * account may have taken the alias's place, or its domain is gone. */
static bool
is_usable(const struct book *b, struct arena *a, struct str account,
          struct str name)
{
    struct address address;

    if (str_starts(name, STR("@")))
        return book_is_ours(b, a, str_from_pos(name, 1));
    return address_parse(name, &address) &&
           book_may_send_as(b, a, account, &address);
}

size_t
book_senders(const struct book *b, struct arena *a, struct str account,
             struct str *names, size_t max, bool *more)
{
    size_t n = 1;

    names[0] = account;
    *more = false;
    for (size_t i = 0; i < n; i++) {
        size_t n_next;
        struct str *next = names_of(b, a, names[i], &n_next);
        for (size_t j = 0; next != NULL && j < n_next; j++) {
            if (is_among(names, n, next[j]) ||
                !is_usable(b, a, account, next[j]))
                continue;
            if (n == max) {
                *more = true;
                return n;
            }
            names[n++] = next[j];
        }
    }
    return n;
}
