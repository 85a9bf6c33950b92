/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

static const char *
skip(const struct gate_facts *f)
{
    return f->route.answer == BOOK_REMOTE ? "not our domain" : NULL;
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->route.answer == BOOK_UNKNOWN
               ? gate_refuse(STR("unknown-recipient"))
               : gate_pass();
}

const struct gate_check gate_recipient = {
    .name = "recipient", .stage = GATE_RCPT, .skip = skip, .judge = judge};
