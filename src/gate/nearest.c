/* SPDX-License-Identifier: ISC */
/*
 * "Did you mean ...?" The book answers only whether a name is there, so each
 * name one typing error away is asked for: a letter too many, too few, wrong,
 * or two exchanged. That tells which addresses exist, so it is for who logged
 * in only.
 */
#include "gate/checks.h"

#include <string.h>

enum { LOCAL_LONGEST = 32 };

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";

struct nearest {
    const struct gate_facts *facts;
    struct str domain; /* with its "@" */
    char name[LOCAL_LONGEST + 2 + DOMAIN_MAX + 1];
    struct str found;
};

static bool
try_name(struct nearest *t, size_t n)
{
    struct address a;
    struct book_route route;
    const struct gate_facts *f = t->facts;
    memcpy(t->name + n, t->domain.p, t->domain.n);
    struct str text = str_from_n(t->name, n + t->domain.n);
    if (n == 0 || !address_parse(text, &a))
        return false;
    book_resolve(f->book, f->arena, &a, &route);
    // A catch-all, or the postmaster's rule, is nobody's name.
    if (route.answer != BOOK_ACCOUNT &&
        !(route.answer == BOOK_ALIAS && str_eq(route.alias, text)))
        return false;
    t->found = arena_dup(f->arena, text);
    return true;
}

/* The name with n octets of `with` in place of `out` octets at `at`. */
static bool
try_with(struct nearest *t, struct str local, size_t at, size_t out,
         const char *with, size_t n)
{
    struct str tail = str_from_pos(local, at + out);
    memcpy(t->name, local.p, at);
    if (n > 0)
        memcpy(t->name + at, with, n);
    memcpy(t->name + at + n, tail.p, tail.n);
    return try_name(t, at + n + tail.n);
}

static bool
try_at(struct nearest *t, struct str local, size_t at)
{
    bool inside = at < local.n;
    if (at + 1 < local.n) {
        const char swapped[] = {local.p[at + 1], local.p[at]};
        if (try_with(t, local, at, 2, swapped, 2))
            return true;
    }
    if (inside && try_with(t, local, at, 1, "", 0))
        return true;
    for (size_t i = 0; letters[i] != '\0'; i++)
        if ((inside && try_with(t, local, at, 1, &letters[i], 1)) ||
            try_with(t, local, at, 0, &letters[i], 1))
            return true;
    return false;
}

struct str
gate_nearest(const struct gate_facts *f)
{
    struct str key = book_without_detail(f->arena, f->recipient_key);
    ssize_t at = str_rfind_char(key, '@');
    struct nearest t = {.facts = f};
    if (at <= 0 || at > LOCAL_LONGEST)
        return STR_EMPTY;
    struct str local = str_first(key, (size_t)at);
    t.domain = str_from_pos(key, (size_t)at);
    if (t.domain.n > DOMAIN_MAX + 1)
        return STR_EMPTY;
    for (size_t i = 0; i <= local.n; i++)
        if (try_at(&t, local, i))
            return t.found;
    return STR_EMPTY;
}
