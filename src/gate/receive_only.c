/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    return f->session->user.n > 0 ? NULL : "not logged in";
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    struct book_account account;
    if (book_find_account(f->book, f->arena, f->session->user, &account) &&
        account.receive_only)
        return gate_refuse(STR("receive-only"));
    return gate_pass();
}

const struct gate_check gate_receive_only = {
    .name = "receive-only", .stage = GATE_MAIL, .skip = skip, .judge = judge};
