/* SPDX-License-Identifier: ISC */
/*
 * What an attempt means for a recipient: done, tried again at a time, or
 * given up, and whether somebody has to be told. Pure; the schedule settles.
 */
#pragma once

#include "mail/verdict.h"
#include "queue/retry.h"
#include "spool/spool.h"

enum fate {
    FATE_UNTRIED = 0, /* comes back as it was */
    FATE_DELIVERED,   /* in the mailbox, or taken by another host */
    FATE_DEFERRED,
    FATE_BOUNCED, /* for good; the notice says whether anybody is told */
};

struct outcome_facts {
    int64_t arrived_ms;
    struct str sender; /* empty: never a notice */
    unsigned notify;   /* NOTIFY= of the recipient */
    uint32_t attempts; /* made before this one */
    bool on_vacation;  /* the account delivered to */
};

/* Fills verdict, next_ms, give_up and notice of *out. */
enum fate outcome_decide(const struct retry_policy *p,
                         const struct outcome_facts *f, const struct verdict *v,
                         int64_t now_ms, struct spool_settlement *out);
