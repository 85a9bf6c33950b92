/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    return f->session->user.n > 0 ? NULL : "not logged in";
}

static struct gate_verdict
refuse(const struct gate_facts *f, const struct book_account *account)
{
    struct gate_verdict v = gate_refuse(STR("account-suspended"));
    v.detail = STR("It is switched off.");
    if (account->state == BOOK_SUSPENDED)
        v.detail =
            arena_printf(f->arena, "The reason: %.*s.", STR_ARG(account->note));
    return v;
}

/* The login was right, but may be hours ago. An account that was removed since
 * has no sender of its own any more, and is refused for that. */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    struct book_account account;
    if (book_find_account(f->book, f->arena, f->session->user, &account) &&
        (account.state == BOOK_SUSPENDED || account.state == BOOK_DISABLED))
        return refuse(f, &account);
    return gate_pass();
}

const struct gate_check gate_account = {
    .name = "account", .stage = GATE_MAIL, .skip = skip, .judge = judge};
