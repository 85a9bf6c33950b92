/* SPDX-License-Identifier: ISC */
/*
 * An address book made of a few lines: example.com is ours with ann, bob
 * (away) and some aliases; the rest is the world.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/map.h"
#include "book/book.h"

struct fakebook {
    struct book book;
    struct map values; /* key -> struct buf */
};

static inline bool
fakebook_find(void *ctx, struct str key, struct str *value)
{
    struct fakebook *f = ctx;
    struct buf *b = map_get(&f->values, key);
    if (b != NULL)
        *value = buf_str(b);
    return b != NULL;
}

static inline struct buf *
fakebook_slot(struct fakebook *f, const char *key)
{
    struct buf *b = calloc(1, sizeof *b);
    struct buf *old;
    assert_non_null(b);
    old = map_put(&f->values, str_from(key), b);
    if (old != NULL)
        buf_fini(old);
    free(old);
    return b;
}

static inline void
fakebook_alias(struct fakebook *f, const char *key, const char *const *targets)
{
    struct str t[16];
    struct book_alias alias = {.targets = t};
    while (targets[alias.n_targets] != NULL) {
        t[alias.n_targets] = str_from(targets[alias.n_targets]);
        alias.n_targets++;
    }
    book_alias_encode(fakebook_slot(f, key), &alias);
}

static inline void
fakebook_account(struct fakebook *f, const char *key, bool away)
{
    struct book_account account = {.on_vacation = away};
    book_account_encode(fakebook_slot(f, key), &account);
}

static inline void
fakebook_state(struct fakebook *f, const char *key, enum book_state state,
               const char *note)
{
    struct book_account account = {.state = state, .note = str_from(note)};
    struct buf *slot = fakebook_slot(f, key);
    buf_clear(slot);
    book_account_encode(slot, &account);
}

static inline void
fakebook_init(struct fakebook *f)
{
    struct book_domain domain = {.delivery =
                                     STR("maildir:/mail/%{domain}/%{user}")};
    *f = (struct fakebook){0};
    f->book.find = fakebook_find;
    f->book.ctx = f;
    f->book.hostname = STR("mx.example.com");
    f->book.postmaster_delivery = STR("maildir:/mail/postmaster");
    book_domain_encode(fakebook_slot(f, "d:example.com"), &domain);
    fakebook_account(f, "a:ann@example.com", false);
    fakebook_account(f, "a:bob@example.com", true);
}

static inline void
fakebook_fini(struct fakebook *f)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&f->values, &at, &key, &value)) {
        buf_fini(value);
        free(value);
    }
    map_fini(&f->values);
}
