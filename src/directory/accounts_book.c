/* SPDX-License-Identifier: ISC */
/* The database as the address book sees it: keys, values, changes. */
#include "directory/accounts_internal.h"

#include <stdlib.h>

#include "base/alloc.h"

static void
encode_domain(struct str deliver, struct buf *to)
{
    book_domain_encode(to, &(struct book_domain){.delivery = deliver});
}

static void
encode_alias(const struct accounts_alias *x, struct buf *to)
{
    book_alias_encode(to, &(struct book_alias){.targets = x->targets,
                                               .n_targets = x->n_targets,
                                               .members_only = x->members_only,
                                               .members = x->members,
                                               .n_members = x->n_members});
}

/* The aliases of one address, as they come by. */
struct names {
    struct arena arena;
    struct buf key;
    struct str list[BOOK_NAMES_MAX];
    size_t n;
};

static void
on_name(void *ctx, struct str alias)
{
    struct names *x = ctx;
    if (x->n < BOOK_NAMES_MAX)
        x->list[x->n++] = arena_dup(&x->arena, alias);
}

static void
names_free(struct names *x)
{
    arena_fini(&x->arena);
    buf_fini(&x->key);
    free(x);
}

static bool
encode_names(struct accounts *a, struct str key, struct buf *to, struct err *e)
{
    struct names *x = alloc_zero(sizeof *x);
    bool ok = accounts_aliases_to(a, key, on_name, x, e);
    if (ok && x->n > 0)
        book_names_encode(to, x->list, x->n);
    names_free(x);
    return ok;
}

bool
accounts_value(struct accounts *a, struct str key, struct buf *to,
               struct err *e)
{
    struct arena arena = {0};
    struct accounts_domain domain;
    struct accounts_user user;
    struct accounts_alias alias;
    enum accounts_result found = ACCOUNTS_MISSING;

    if (str_skip(&key, STR("d:"))) {
        found = accounts_domain_get(a, &arena, key, &domain, e);
        if (found == ACCOUNTS_DONE)
            encode_domain(domain.deliver, to);
    } else if (str_skip(&key, STR("a:"))) {
        found = accounts_user_get(a, &arena, key, &user, e);
        if (found == ACCOUNTS_DONE)
            book_account_encode(to, &user.is);
    } else if (str_skip(&key, STR("n:"))) {
        found = encode_names(a, key, to, e) ? ACCOUNTS_DONE : ACCOUNTS_TROUBLE;
    } else if (str_skip(&key, STR("l:"))) {
        found = accounts_alias_get(a, &arena, key, &alias, e);
        if (found == ACCOUNTS_DONE)
            encode_alias(&alias, to);
    }
    arena_fini(&arena);
    return found != ACCOUNTS_TROUBLE;
}

/* One walk over everything; key and value are built in buffers kept. */
struct walk {
    accounts_value_fn fn;
    void *ctx;
    struct buf key, value;
    struct err *e;
    bool ok;
};

static void
hand_out(struct walk *w, struct str kind, struct str name)
{
    buf_clear(&w->key);
    buf_add(&w->key, kind);
    buf_add(&w->key, name);
    w->ok = w->ok && w->fn(w->ctx, buf_str(&w->key), buf_str(&w->value), w->e);
    buf_clear(&w->value);
}

static void
on_domain(void *ctx, const struct accounts_domain *d)
{
    struct walk *w = ctx;
    encode_domain(d->deliver, &w->value);
    hand_out(w, STR("d:"), d->name);
}

static void
on_user(void *ctx, const struct accounts_user *u)
{
    struct walk *w = ctx;
    book_account_encode(&w->value, &u->is);
    hand_out(w, STR("a:"), u->address);
}

static void
on_alias(void *ctx, const struct accounts_alias *x)
{
    struct walk *w = ctx;
    encode_alias(x, &w->value);
    hand_out(w, STR("l:"), x->address);
}

static void
hand_out_names(struct walk *w, struct names *x)
{
    if (x->n > 0) {
        book_names_encode(&w->value, x->list, x->n);
        hand_out(w, STR("n:"), buf_str(&x->key));
    }
    arena_reset(&x->arena);
    x->n = 0;
}

static bool
each_names(struct accounts *a, struct walk *w)
{
    struct names *x;
    struct query q;

    if (!query_begin(&q, a,
                     "SELECT DISTINCT key, alias FROM target"
                     " ORDER BY key, alias",
                     w->e))
        return false;
    x = alloc_zero(sizeof *x);
    while (w->ok && query_step(&q, w->e) == QUERY_ROW) {
        struct str key = query_column(&q, 0);
        if (!str_eq(key, buf_str(&x->key))) {
            hand_out_names(w, x);
            buf_clear(&x->key);
            buf_add(&x->key, key);
        }
        on_name(x, query_column(&q, 1));
    }
    hand_out_names(w, x);
    names_free(x);
    return query_end(&q) && w->ok;
}

bool
accounts_each_value(struct accounts *a, accounts_value_fn fn, void *ctx,
                    struct err *e)
{
    struct walk w = {.fn = fn, .ctx = ctx, .e = e, .ok = true};
    struct err ignored;

    if (query_run(a, "BEGIN", NULL, 0, NULL, e) != QUERY_DONE)
        return false;
    bool ok = accounts_domain_list(a, on_domain, &w, e) && w.ok &&
              accounts_user_list(a, STR_EMPTY, on_user, &w, e) && w.ok &&
              accounts_alias_list(a, STR_EMPTY, on_alias, &w, e) && w.ok &&
              each_names(a, &w);
    (void)query_run(a, "COMMIT", NULL, 0, NULL, &ignored);
    buf_fini(&w.key);
    buf_fini(&w.value);
    return ok;
}

static bool
read_number(struct accounts *a, const char *sql, int64_t *number, struct err *e)
{
    struct query q;

    if (!query_begin(&q, a, sql, e))
        return false;
    *number = 0;
    if (query_step(&q, e) == QUERY_ROW)
        *number = query_column_number(&q, 0);
    return query_end(&q);
}

bool
accounts_last_change(struct accounts *a, int64_t *seq, struct err *e)
{
    return read_number(a, "SELECT max(seq) FROM change", seq, e);
}

bool
accounts_data_version(struct accounts *a, int64_t *version, struct err *e)
{
    return read_number(a, "PRAGMA data_version", version, e);
}

bool
accounts_changes(struct accounts *a, int64_t after, size_t max,
                 accounts_change_fn fn, void *ctx, struct err *e)
{
    struct query q;

    if (!query_begin(&q, a,
                     "SELECT seq, key FROM change WHERE seq > ?1 ORDER BY seq"
                     " LIMIT ?2",
                     e))
        return false;
    query_number(&q, 1, after);
    query_number(&q, 2, (int64_t)max);
    while (query_step(&q, e) == QUERY_ROW)
        fn(ctx, query_column_number(&q, 0), query_column(&q, 1));
    return query_end(&q);
}

bool
accounts_forget_changes(struct accounts *a, int64_t upto, struct err *e)
{
    struct query q;

    if (!query_begin(&q, a, "DELETE FROM change WHERE seq <= ?1", e))
        return false;
    query_number(&q, 1, upto);
    (void)query_step(&q, e);
    return query_end(&q);
}
