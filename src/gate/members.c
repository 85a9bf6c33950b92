/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    if (f->route.answer == BOOK_ALIAS && f->route.members_only)
        return NULL;
    return "not a list for members";
}

/* The sender is what it says it is: who must be sure of it closes the port for
 * strangers to its own domains (own-domain) and has SPF for the others. */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    return book_is_member(f->book, f->arena, &f->route, f->sender)
               ? gate_pass()
               : gate_refuse(STR("members-only"));
}

const struct gate_check gate_members = {
    .name = "members", .stage = GATE_RCPT, .skip = skip, .judge = judge};
