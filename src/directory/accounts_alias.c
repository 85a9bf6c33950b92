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
    if (!add_targets(a, alias, e))
        return ACCOUNTS_TROUBLE;
    return alias->members_only ? accounts_alias_set_members(a, alias, e)
                               : ACCOUNTS_DONE;
}

static bool
add_members(struct accounts *a, const struct accounts_alias *alias,
            struct err *e)
{
    struct query q;

    for (size_t i = 0; i < alias->n_members; i++) {
        if (!query_begin(&q, a,
                         "INSERT INTO member (alias, position, key)"
                         " VALUES (?1, ?2, ?3)",
                         e))
            return false;
        query_text(&q, 1, alias->address);
        query_number(&q, 2, (int64_t)i);
        query_text(&q, 3, alias->members[i]);
        (void)query_step(&q, e);
        if (!query_end(&q))
            return false;
    }
    return true;
}

enum accounts_result
accounts_alias_set_members(struct accounts *a,
                           const struct accounts_alias *alias, struct err *e)
{
    enum accounts_result result = query_change(
        a,
        alias->members_only
            ? "UPDATE alias SET members_only = 1 WHERE address = ?1"
            : "UPDATE alias SET members_only = 0 WHERE address = ?1",
        &alias->address, 1, e);

    if (result != ACCOUNTS_DONE)
        return result;
    if (query_change(a, "DELETE FROM member WHERE alias = ?1", &alias->address,
                     1, e) == ACCOUNTS_TROUBLE)
        return ACCOUNTS_TROUBLE;
    if (alias->members_only && !add_members(a, alias, e))
        return ACCOUNTS_TROUBLE;
    return ACCOUNTS_DONE;
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

#define SELECT_ALIAS                                                           \
    "SELECT alias, target.address, key, members_only FROM target"              \
    " JOIN alias ON alias.address = alias"

static void
add_row(struct gather *g, struct query *q)
{
    struct accounts_alias *x = &g->alias;

    if (x->n_targets == g->room) {
        g->room = g->room == 0 ? 4 : g->room * 2;
        x->targets = grown(&g->arena, x->targets, x->n_targets, g->room);
        x->keys = grown(&g->arena, x->keys, x->n_targets, g->room);
    }
    if (x->n_targets == 0) {
        x->address = arena_dup(&g->arena, query_column(q, 0));
        x->members_only = query_column_number(q, 3) != 0;
    }
    x->targets[x->n_targets] = arena_dup(&g->arena, query_column(q, 1));
    x->keys[x->n_targets++] = arena_dup(&g->arena, query_column(q, 2));
}

static bool
add_member_rows(struct gather *g, struct accounts *a, struct err *e)
{
    struct accounts_alias *x = &g->alias;
    struct query q;
    size_t room = 0;

    if (!x->members_only)
        return true;
    if (!query_begin(&q, a,
                     "SELECT key FROM member WHERE alias = ?1"
                     " ORDER BY position",
                     e))
        return false;
    query_text(&q, 1, x->address);
    while (query_step(&q, e) == QUERY_ROW) {
        if (x->n_members == room) {
            room = room == 0 ? 4 : room * 2;
            x->members = grown(&g->arena, x->members, x->n_members, room);
        }
        x->members[x->n_members++] = arena_dup(&g->arena, query_column(&q, 0));
    }
    return query_end(&q);
}

enum accounts_result
accounts_alias_get(struct accounts *a, struct arena *to, struct str address,
                   struct accounts_alias *out, struct err *e)
{
    struct gather g = {.arena = *to};
    struct query q;

    if (!query_begin(&q, a, SELECT_ALIAS " WHERE alias = ?1 ORDER BY position",
                     e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, address);
    while (query_step(&q, e) == QUERY_ROW)
        add_row(&g, &q);
    bool ok = query_end(&q) && add_member_rows(&g, a, e);
    *to = g.arena;
    *out = g.alias;
    if (!ok)
        return ACCOUNTS_TROUBLE;
    return out->n_targets > 0 ? ACCOUNTS_DONE : ACCOUNTS_MISSING;
}

static bool
hand_out(struct gather *g, struct accounts *a, accounts_alias_fn fn, void *ctx,
         struct err *e)
{
    bool ok = g->alias.n_targets == 0 || add_member_rows(g, a, e);

    if (ok && g->alias.n_targets > 0)
        fn(ctx, &g->alias);
    arena_reset(&g->arena);
    g->alias = (struct accounts_alias){0};
    g->room = 0;
    return ok;
}

bool
accounts_alias_list(struct accounts *a, struct str domain, accounts_alias_fn fn,
                    void *ctx, struct err *e)
{
    struct gather g = {0};
    struct query q;
    bool ok = true;

    if (!query_begin(&q, a,
                     domain.n > 0 ? SELECT_ALIAS
                         " WHERE domain = ?1 ORDER BY alias, position"
                                  : SELECT_ALIAS " ORDER BY alias, position",
                     e))
        return false;
    if (domain.n > 0)
        query_text(&q, 1, domain);
    while (ok && query_step(&q, e) == QUERY_ROW) {
        if (!str_eq(query_column(&q, 0), g.alias.address))
            ok = hand_out(&g, a, fn, ctx, e);
        if (ok)
            add_row(&g, &q);
    }
    ok = ok && hand_out(&g, a, fn, ctx, e);
    arena_fini(&g.arena);
    return query_end(&q) && ok;
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
