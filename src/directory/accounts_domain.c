/* SPDX-License-Identifier: ISC */
#include "directory/accounts_internal.h"

enum accounts_result
accounts_domain_add(struct accounts *a, const struct accounts_domain *d,
                    struct err *e)
{
    const struct str text[] = {d->name, d->deliver};
    return query_change(a, "INSERT INTO domain (name, deliver) VALUES (?1, ?2)",
                        text, 2, e);
}

enum accounts_result
accounts_domain_remove(struct accounts *a, struct str name, struct err *e)
{
    return query_change(a, "DELETE FROM domain WHERE name = ?1", &name, 1, e);
}

enum accounts_result
accounts_domain_get(struct accounts *a, struct arena *to, struct str name,
                    struct accounts_domain *out, struct err *e)
{
    struct query q;
    enum query_result found;

    if (!query_begin(&q, a, "SELECT deliver FROM domain WHERE name = ?1", e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, name);
    found = query_step(&q, e);
    if (found == QUERY_ROW)
        *out = (struct accounts_domain){arena_dup(to, name),
                                        arena_dup(to, query_column(&q, 0))};
    if (!query_end(&q))
        return ACCOUNTS_TROUBLE;
    return found == QUERY_ROW ? ACCOUNTS_DONE : ACCOUNTS_MISSING;
}

bool
accounts_domain_list(struct accounts *a, accounts_domain_fn fn, void *ctx,
                     struct err *e)
{
    struct query q;

    if (!query_begin(&q, a, "SELECT name, deliver FROM domain ORDER BY name",
                     e))
        return false;
    while (query_step(&q, e) == QUERY_ROW)
        fn(ctx,
           &(struct accounts_domain){query_column(&q, 0), query_column(&q, 1)});
    return query_end(&q);
}

bool
accounts_domain_count(struct accounts *a, struct str name, uint64_t *accounts,
                      uint64_t *aliases, struct err *e)
{
    struct query q;

    if (!query_begin(&q, a,
                     "SELECT (SELECT count(*) FROM account WHERE domain = ?1),"
                     " (SELECT count(*) FROM alias WHERE domain = ?1)",
                     e))
        return false;
    query_text(&q, 1, name);
    if (query_step(&q, e) == QUERY_ROW) {
        *accounts = (uint64_t)query_column_number(&q, 0);
        *aliases = (uint64_t)query_column_number(&q, 1);
    }
    return query_end(&q);
}

bool
accounts_domain_names(struct accounts *a, size_t max, accounts_address_fn fn,
                      void *ctx, struct err *e)
{
    struct query q;

    if (!query_begin(&q, a, "SELECT name FROM domain ORDER BY name LIMIT ?1",
                     e))
        return false;
    query_number(&q, 1, (int64_t)max);
    while (query_step(&q, e) == QUERY_ROW)
        fn(ctx, query_column(&q, 0));
    return query_end(&q);
}
