/* SPDX-License-Identifier: ISC */
#include "book/book_internal.h"

#include <string.h>

/* An address taken apart, all in key form. */
struct name {
    struct str key;    /* user+detail@domain */
    struct str base;   /* user@domain */
    struct str user;   /* without +detail */
    struct str at;     /* @domain: the key of the catch-all alias */
    struct str domain; /* behind the last @: a quoted local part may have
                          others */
};

static struct str
join(struct arena *a, struct str left, struct str right)
{
    char *p = arena_alloc(a, left.n + right.n);
    if (left.n > 0)
        memcpy(p, left.p, left.n);
    if (right.n > 0)
        memcpy(p + left.n, right.p, right.n);
    return str_from_n(p, left.n + right.n);
}

/* "+x@example.com" has no user to take a detail from. */
static struct str
cut_detail(struct str local)
{
    ssize_t plus = str_find_char(local, '+');
    return plus > 0 ? str_first(local, (size_t)plus) : local;
}

struct str
book_without_detail(struct arena *a, struct str key)
{
    ssize_t at = str_rfind_char(key, '@');
    struct str local = at < 0 ? key : str_first(key, (size_t)at);
    struct str user = cut_detail(local);
    return user.n == local.n ? key : join(a, user, str_from_pos(key, local.n));
}

static bool
take_apart(const struct book *b, struct arena *a, const struct address *address,
           struct name *name)
{
    struct str key = address_key(a, address);
    if (key.n == 0)
        return false;
    if (address->domain.n == 0) // bare: <postmaster>
        key = join(a, join(a, key, STR("@")), domain_key(a, b->hostname));
    ssize_t at = str_rfind_char(key, '@');
    if (at < 0)
        return false;
    name->key = key;
    name->at = str_from_pos(key, (size_t)at);
    name->domain = str_from_pos(key, (size_t)at + 1);
    name->user = cut_detail(str_first(key, (size_t)at));
    name->base = book_without_detail(a, key);
    return true;
}

static bool
find(const struct book *b, struct arena *a, struct str kind, struct str key,
     struct str *value)
{
    return b->find(b->ctx, join(a, kind, key), value);
}

static bool
find_domain(const struct book *b, struct arena *a, struct str domain,
            struct book_domain *out)
{
    struct str value;
    return domain.n > 0 && find(b, a, STR("d:"), domain, &value) &&
           book_domain_decode(value, out);
}

bool
book_is_ours(const struct book *b, struct arena *a, struct str domain)
{
    struct book_domain d;
    return find_domain(b, a, domain_key(a, domain), &d);
}

bool
book_find_alias(const struct book *b, struct arena *a, struct str key,
                struct book_route *route)
{
    struct str value;
    struct book_alias alias;

    if (!find(b, a, STR("l:"), key, &value) ||
        !book_alias_decode(a, arena_dup(a, value), &alias))
        return false;
    *route = (struct book_route){.answer = BOOK_ALIAS,
                                 .alias = arena_dup(a, key),
                                 .targets = alias.targets,
                                 .n_targets = alias.n_targets,
                                 .members_only = alias.members_only,
                                 .members = alias.members,
                                 .n_members = alias.n_members};
    return true;
}

bool
book_find_account(const struct book *b, struct arena *a, struct str account,
                  struct book_account *out)
{
    struct str value;

    if (!find(b, a, STR("a:"), account, &value) ||
        !book_account_decode(value, out))
        return false;
    out->note = arena_dup(a, out->note);
    return true;
}

static bool
find_account(const struct book *b, struct arena *a, struct str key,
             struct book_route *route)
{
    struct book_account account;

    if (!book_find_account(b, a, key, &account))
        return false;
    *route = (struct book_route){.answer = BOOK_ACCOUNT,
                                 .account = arena_dup(a, key),
                                 .on_vacation = account.on_vacation,
                                 .state = account.state,
                                 .note = account.note};
    return true;
}

static bool
find_recipient(const struct book *b, struct arena *a, const struct name *name,
               struct book_route *route)
{
    if (find_account(b, a, name->key, route) ||
        book_find_alias(b, a, name->key, route))
        return true;
    return !str_eq(name->base, name->key) &&
           (find_account(b, a, name->base, route) ||
            book_find_alias(b, a, name->base, route));
}

/* A mailbox by the admin's list, without a login. */
static bool
find_listed(const struct book *b, struct arena *a, const struct name *name,
            const struct book_domain *domain, struct book_route *route)
{
    if (b->listed == NULL ||
        !(b->listed(b->ctx, name->key) || b->listed(b->ctx, name->base)))
        return false;
    *route = (struct book_route){.answer = BOOK_ACCOUNT, .account = name->base};
    if (book_fill_pattern(a, domain->delivery, name->domain, name->user,
                          &route->delivery))
        return true;
    *route = (struct book_route){0};
    return false;
}

/* config `postmaster`, unless that is this very address or a mailbox that does
 * not exist: mail for the postmaster must end somewhere. */
static void
resolve_postmaster(const struct book *b, struct arena *a,
                   const struct name *name, struct book_route *route)
{
    struct address stand_in;
    struct book_route further;

    *route = (struct book_route){.answer = BOOK_POSTMASTER_BOX,
                                 .delivery = b->postmaster_delivery};
    if (b->postmaster.n == 0 || !address_parse(b->postmaster, &stand_in) ||
        str_eq(book_without_detail(a, address_key(a, &stand_in)), name->base))
        return;
    // Ends: the second postmaster asked for is the stand-in itself.
    book_resolve(b, a, &stand_in, &further);
    if (further.answer == BOOK_UNKNOWN || further.answer == BOOK_POSTMASTER_BOX)
        return;
    route->answer = BOOK_ALIAS;
    route->delivery = STR_EMPTY;
    route->alias = STR_EMPTY;
    route->targets = arena_alloc(a, sizeof *route->targets);
    route->targets[0] = b->postmaster;
    route->n_targets = 1;
}

void
book_resolve(const struct book *b, struct arena *a,
             const struct address *address, struct book_route *route)
{
    struct name name;
    struct book_domain domain;

    *route = (struct book_route){0};
    if (!take_apart(b, a, address, &name))
        return;
    bool postmaster = str_eq(name.user, STR("postmaster"));
    bool hosted = find_domain(b, a, name.domain, &domain);
    // The host itself has a postmaster too, though its name may host no mail.
    if (!hosted &&
        !(postmaster && str_eq(name.domain, domain_key(a, b->hostname))))
        return;
    if (hosted && find_recipient(b, a, &name, route)) {
        if (route->answer == BOOK_ACCOUNT &&
            !book_fill_pattern(a, domain.delivery, name.domain, name.user,
                               &route->delivery))
            *route = (struct book_route){.answer = BOOK_UNKNOWN};
        return;
    }
    if (postmaster)
        resolve_postmaster(b, a, &name, route);
    else if (!book_find_alias(b, a, name.at, route) &&
             !find_listed(b, a, &name, &domain, route))
        route->answer = BOOK_UNKNOWN;
}

/* Aliases met on the way from a sender to the account; a loop, or a web of
 * lists beyond all reason, ends at its limit. */
enum { SEARCH_MAX = 64 };

struct search {
    struct str seen[SEARCH_MAX]; /* keys of aliases */
    struct str *targets[SEARCH_MAX];
    size_t n_targets[SEARCH_MAX];
    size_t n;
};

static void
note_alias(struct search *s, const struct book_route *route)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->seen[i], route->alias))
            return;
    if (s->n == SEARCH_MAX)
        return;
    s->seen[s->n] = route->alias;
    s->targets[s->n] = route->targets;
    s->n_targets[s->n++] = route->n_targets;
}

/* One address on the way: is it the account, or where does it lead? */
static bool
reaches(const struct book *b, struct arena *a, struct str account,
        const struct address *address, struct search *s)
{
    struct book_route route;

    book_resolve(b, a, address, &route);
    if (route.answer == BOOK_ALIAS)
        note_alias(s, &route);
    return route.answer == BOOK_ACCOUNT && str_eq(route.account, account);
}

bool
book_may_send_as(const struct book *b, struct arena *a, struct str account,
                 const struct address *sender)
{
    struct search s = {.n = 0};
    struct address target;

    if (sender->local.n == 0)
        return false;
    if (reaches(b, a, account, sender, &s))
        return true;
    for (size_t i = 0; i < s.n; i++)
        for (size_t j = 0; j < s.n_targets[i]; j++)
            if (address_parse(s.targets[i][j], &target) &&
                reaches(b, a, account, &target, &s))
                return true;
    return false;
}
