/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

/* Its domain has no form that could be looked up. */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->recipient_key.n == 0 ? gate_refuse(STR("bad-recipient-address"))
                                   : gate_pass();
}

const struct gate_check gate_recipient_address = {
    .name = "recipient-address", .stage = GATE_RCPT, .judge = judge};
