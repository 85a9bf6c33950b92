/* SPDX-License-Identifier: ISC */
#include "queue/events.h"

#include "mail/date.h"
#include "os/log.h"

static const char *
name_of(const struct schedule_event *e)
{
    switch (e->fate) {
    case FATE_DELIVERED:
        return e->settlement->verdict.outcome == OUTCOME_RELAYED ? "relayed"
                                                                 : "delivered";
    case FATE_DEFERRED:
        return "deferred";
    case FATE_BOUNCED:
        return "bounced";
    case FATE_UNTRIED:
    default:
        return "untried";
    }
}

/* Whether the sender hears of a failure, and why not. */
static struct str
notice_of(const struct schedule_event *e)
{
    if (e->settlement->notice & NOTICE_BOUNCE)
        return STR("owed");
    return e->message->envelope.sender.n == 0 ? STR("none: null sender")
                                              : STR("none: not wanted");
}

void
events_settled(void *ctx, const struct schedule_event *e)
{
    const struct sched_message *m = e->message;
    const struct verdict *v = &e->settlement->verdict;
    bool final = e->fate == FATE_DELIVERED;
    bool bounced = e->fate == FATE_BOUNCED;
    char id[MSGID_TEXT], status[16];
    struct buf next = {0};
    struct log_field none = LOG_END;

    (void)ctx;
    if (e->fate == FATE_DEFERRED)
        date_add_log(&next, e->settlement->next_ms);
    /* A field without a key ends the list: the last ones are for failures. */
    log_event(bounced ? LOG_WARNING : LOG_INFO, name_of(e),
              LOG_S("id", msgid_format(m->id, id)),
              LOG_S("session", m->envelope.session), LOG_S("to", e->address),
              final && v->remote.n == 0 ? none : LOG_S("remote", v->remote),
              LOG_S("reply", v->text),
              final ? none : LOG_S("status", status_format(v->status, status)),
              LOG_S("reason", e->settlement->give_up && v->reason.n == 0
                                  ? STR("expired")
                                  : v->reason),
              bounced ? LOG_S("notice", notice_of(e))
                      : LOG_S("next_attempt", buf_str(&next)),
              LOG_END);
    buf_fini(&next);
}

void
events_expanded(void *ctx, const struct sched_message *m, struct str address,
                size_t n)
{
    char id[MSGID_TEXT];

    (void)ctx;
    log_event(LOG_INFO, "expanded", LOG_S("id", msgid_format(m->id, id)),
              LOG_S("session", m->envelope.session), LOG_S("alias", address),
              LOG_N("targets", (int64_t)n), LOG_END);
}
