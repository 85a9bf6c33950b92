/* SPDX-License-Identifier: ISC */
#include "queue/outcome.h"

/* RFC 3461 4.1: without NOTIFY a failure is reported; with it only if it says
 * FAILURE. RFC 5321 4.5.5: never to the null reverse-path. */
static unsigned
bounce_owed(const struct outcome_facts *f)
{
    bool wanted = f->notify == NOTIFY_DEFAULT ||
                  ((f->notify & NOTIFY_FAILURE) && !(f->notify & NOTIFY_NEVER));
    return wanted && f->sender.n > 0 ? NOTICE_BOUNCE : NOTICE_NONE;
}

/* RFC 3461 5.2.2, 5.2.3: delivery is reported to who asked for it, and so is
 * that a host has it which will not report. */
static unsigned
success_owed(const struct outcome_facts *f, const struct verdict *v)
{
    bool wanted = (f->notify & NOTIFY_SUCCESS) && !(f->notify & NOTIFY_NEVER);
    bool last = v->outcome == OUTCOME_DELIVERED ||
                str_eq(v->reason, STR(VERDICT_NO_DSN));
    return wanted && last && f->sender.n > 0 ? NOTICE_SUCCESS : NOTICE_NONE;
}

enum fate
outcome_decide(const struct retry_policy *p, const struct outcome_facts *f,
               const struct verdict *v, int64_t now_ms,
               struct spool_settlement *out)
{
    out->verdict = *v;
    out->next_ms = now_ms;
    out->give_up = false;
    out->notice = NOTICE_NONE;

    switch (v->outcome) {
    case OUTCOME_DELIVERED:
        out->notice = success_owed(f, v);
        if (f->on_vacation && f->sender.n > 0)
            out->notice |= NOTICE_AUTOREPLY;
        return FATE_DELIVERED;
    case OUTCOME_RELAYED:
        out->notice = success_owed(f, v);
        return FATE_DELIVERED;
    case OUTCOME_LATER:
        if (retry_next(p, f->arrived_ms, now_ms, f->attempts + 1,
                       &out->next_ms))
            return FATE_DEFERRED;
        out->give_up = true;
        out->notice = bounce_owed(f);
        return FATE_BOUNCED;
    case OUTCOME_REFUSED:
        out->notice = bounce_owed(f);
        return FATE_BOUNCED;
    case OUTCOME_NONE:
    default:
        return FATE_UNTRIED;
    }
}
