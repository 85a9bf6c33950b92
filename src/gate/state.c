/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    return f->route.answer == BOOK_ACCOUNT ? NULL : "not a mailbox";
}

/* RFC 5321, 3.4: 551 names the address to try instead. */
static struct gate_verdict
moved(const struct gate_facts *f)
{
    struct gate_verdict v = gate_refuse(STR("recipient-moved"));
    if (f->route.note.n > 0)
        v.detail = arena_printf(f->arena, "Please try <%.*s>.",
                                STR_ARG(f->route.note));
    return v;
}

/* Why an account is suspended is for its owner's eyes, at the login. */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    switch (f->route.state) {
    case BOOK_ACTIVE:
        break;
    case BOOK_DISABLED:
        return gate_refuse(STR("recipient-disabled"));
    case BOOK_SUSPENDED:
        return gate_refuse(STR("recipient-suspended"));
    case BOOK_FULL:
        return gate_refuse(STR("recipient-full"));
    case BOOK_MOVED:
        return moved(f);
    }
    return gate_pass();
}

const struct gate_check gate_state = {
    .name = "state", .stage = GATE_RCPT, .skip = skip, .judge = judge};
