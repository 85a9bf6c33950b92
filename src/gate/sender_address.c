/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    return f->sender->whole.n > 0 ? NULL : "the null sender";
}

/* A domain without a form that could be looked up is in no list and not in the
 * DNS: the checks behind this one need not think of it. */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->sender_key.n > 0 ? gate_pass()
                               : gate_refuse(STR("bad-sender-address"));
}

const struct gate_check gate_sender_address = {
    .name = "sender-address", .stage = GATE_MAIL, .skip = skip, .judge = judge};
