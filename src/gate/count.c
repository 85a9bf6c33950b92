/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->accepted >= f->policy->max_recipients
               ? gate_refuse(STR("too-many-recipients"))
               : gate_pass();
}

const struct gate_check gate_count = {.name = "count",
                                      .stage = GATE_RCPT,
                                      .option = "receive.max-recipients",
                                      .judge = judge};
