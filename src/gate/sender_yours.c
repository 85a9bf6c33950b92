/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    if (f->session->user.n == 0)
        return "not logged in";
    // Receipts (RFC 8098) must have it, and nobody is impersonated.
    return f->sender->whole.n > 0 ? NULL : "the null sender is everybody's";
}

/* Who logged in writes as themselves, by their own addresses and aliases. */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    if (book_may_send_as(f->book, f->arena, f->session->user, f->sender))
        return gate_pass();
    return gate_refuse(STR("sender-not-yours"));
}

const struct gate_check gate_sender_yours = {
    .name = "sender-yours", .stage = GATE_MAIL, .skip = skip, .judge = judge};
