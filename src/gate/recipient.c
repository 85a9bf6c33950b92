/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    return f->route.answer == BOOK_REMOTE ? "not our domain" : NULL;
}

/* Strangers do not learn which names are there. */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    if (f->route.answer != BOOK_UNKNOWN)
        return gate_pass();
    struct gate_verdict v = gate_refuse(STR("unknown-recipient"));
    struct str near = f->session->user.n > 0 ? gate_nearest(f) : STR_EMPTY;
    if (near.n > 0)
        v.detail = arena_printf(f->arena, "Did you mean %.*s?", STR_ARG(near));
    return v;
}

const struct gate_check gate_recipient = {
    .name = "recipient", .stage = GATE_RCPT, .skip = skip, .judge = judge};
