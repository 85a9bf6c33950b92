/* SPDX-License-Identifier: ISC */
#include "directory/accounts_internal.h"

static bool
add_targets(struct accounts *a, const struct accounts_alias *alias,
            struct err *e)
{
    struct query q;

    for (size_t i = 0; i < alias->n_targets; i++) {
        if (!query_begin(&q, a,
                         "INSERT INTO target (alias, position, address, key)"
                         " VALUES (?1, ?2, ?3, ?4)",
                         e))
            return false;
        query_text(&q, 1, alias->address);
        query_number(&q, 2, (int64_t)i);
        query_text(&q, 3, alias->targets[i]);
        query_text(&q, 4, alias->keys[i]);
        (void)query_step(&q, e);
        if (!query_end(&q))
            return false;
    }
    return true;
}

enum accounts_result
accounts_alias_add(struct accounts *a, const struct accounts_alias *alias,
                   struct err *e)
{
    const struct str text[] = {alias->address,
                               accounts_domain_of(alias->address)};
    enum accounts_result result = query_change(
        a, "INSERT INTO alias (address, domain) VALUES (?1, ?2)", text, 2, e);

    if (result != ACCOUNTS_DONE)
        return result;
    return add_targets(a, alias, e) ? ACCOUNTS_DONE : ACCOUNTS_TROUBLE;
}

enum accounts_result
accounts_alias_remove(struct accounts *a, struct str address, struct err *e)
{
    return query_change(a, "DELETE FROM alias WHERE address = ?1", &address, 1,
                        e);
}

/* An alias as its rows come by, one a target. */
struct gather {
    struct arena arena;
    struct accounts_alias alias;
    size_t room;
};

static void *
grown(struct arena *a, const struct str *old, size_t n, size_t room)
{
    struct str *fresh = arena_array(a, room, sizeof *fresh);
    for (size_t i = 0; i < n; i++)
        fresh[i] = old[i];
    return fresh;
}

static void
add_row(struct gather *g, struct str alias, struct str target, struct str key)
{
    struct accounts_alias *x = &g->alias;

    if (x->n_targets == g->room) {
        g->room = g->room == 0 ? 4 : g->room * 2;
        x->targets = grown(&g->arena, x->targets, x->n_targets, g->room);
        x->keys = grown(&g->arena, x->keys, x->n_targets, g->room);
    }
    if (x->n_targets == 0)
        x->address = arena_dup(&g->arena, alias);
    x->targets[x->n_targets] = arena_dup(&g->arena, target);
    x->keys[x->n_targets++] = arena_dup(&g->arena, key);
}

enum accounts_result
accounts_alias_get(struct accounts *a, struct arena *to, struct str address,
                   struct accounts_alias *out, struct err *e)
{
    struct gather g = {.arena = *to};
    struct query q;

    if (!query_begin(&q, a,
                     "SELECT alias, address, key FROM target WHERE alias = ?1"
                     " ORDER BY position",
                     e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, address);
    while (query_step(&q, e) == QUERY_ROW)
        add_row(&g, query_column(&q, 0), query_column(&q, 1),
                query_column(&q, 2));
    *to = g.arena;
    *out = g.alias;
    if (!query_end(&q))
        return ACCOUNTS_TROUBLE;
    return out->n_targets > 0 ? ACCOUNTS_DONE : ACCOUNTS_MISSING;
}

static void
hand_out(struct gather *g, accounts_alias_fn fn, void *ctx)
{
    if (g->alias.n_targets > 0)
        fn(ctx, &g->alias);
    arena_reset(&g->arena);
    g->alias = (struct accounts_alias){0};
    g->room = 0;
}

bool
accounts_alias_list(struct accounts *a, struct str domain, accounts_alias_fn fn,
                    void *ctx, struct err *e)
{
    struct gather g = {0};
    struct query q;

    if (!query_begin(&q, a,
                     domain.n > 0
                         ? "SELECT alias, target.address, key FROM target"
                           " JOIN alias ON alias.address = alias"
                           " WHERE domain = ?1 ORDER BY alias, position"
                         : "SELECT alias, address, key FROM target"
                           " ORDER BY alias, position",
                     e))
        return false;
    if (domain.n > 0)
        query_text(&q, 1, domain);
    while (query_step(&q, e) == QUERY_ROW) {
        struct str alias = query_column(&q, 0);
        if (!str_eq(alias, g.alias.address))
            hand_out(&g, fn, ctx);
        add_row(&g, alias, query_column(&q, 1), query_column(&q, 2));
    }
    hand_out(&g, fn, ctx);
    arena_fini(&g.arena);
    return query_end(&q);
}

bool
accounts_aliases_to(struct accounts *a, struct str key, accounts_address_fn fn,
                    void *ctx, struct err *e)
{
    struct query q;

    if (!query_begin(&q, a,
                     "SELECT DISTINCT alias FROM target WHERE key = ?1"
                     " ORDER BY alias",
                     e))
        return false;
    query_text(&q, 1, key);
    while (query_step(&q, e) == QUERY_ROW)
        fn(ctx, query_column(&q, 0));
    return query_end(&q);
}
