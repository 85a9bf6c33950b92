/* SPDX-License-Identifier: ISC */
/* Who may write to an alias that is for its members only. */
#include "book/book.h"

struct sender {
    struct str key, base; /* base: without +detail */
    struct str account;   /* that its mail comes to; or empty */
};

/* One entry of the list, in key form. */
static bool
is(const struct sender *s, struct str member)
{
    if (str_starts(member, STR("@")))
        return str_ends(s->key, member);
    return str_eq(member, s->key) || str_eq(member, s->base) ||
           (s->account.n > 0 && str_eq(member, s->account));
}

/* Targets are as somebody wrote them. */
static bool
is_target(const struct sender *s, struct arena *a, struct str target)
{
    struct address address;
    return address_parse(target, &address) && is(s, address_key(a, &address));
}

/* An account's own address, or an alias that leads to it alone. */
static struct str
account_behind(const struct book *b, struct arena *a,
               const struct address *sender)
{
    struct book_route route;
    struct address only;

    book_resolve(b, a, sender, &route);
    if (route.answer == BOOK_ALIAS && route.n_targets == 1 &&
        address_parse(route.targets[0], &only))
        book_resolve(b, a, &only, &route);
    return route.answer == BOOK_ACCOUNT ? route.account : STR_EMPTY;
}

bool
book_is_member(const struct book *b, struct arena *a,
               const struct book_route *alias, const struct address *sender)
{
    if (sender->local.n == 0 || sender->domain.n == 0)
        return false;
    struct sender s = {.key = address_key(a, sender),
                       .account = account_behind(b, a, sender)};
    s.base = book_without_detail(a, s.key);
    if (s.key.n == 0)
        return false;
    for (size_t i = 0; i < alias->n_members; i++)
        if (is(&s, alias->members[i]))
            return true;
    for (size_t i = 0; alias->n_members == 0 && i < alias->n_targets; i++)
        if (is_target(&s, a, alias->targets[i]))
            return true;
    return false;
}
