/* SPDX-License-Identifier: ISC */
#include "queue/events.h"

#include "mail/date.h"
#include "os/log.h"
#include "room/diary.h"

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

static enum journal_kind
kind_of(const struct schedule_event *e)
{
    switch (e->fate) {
    case FATE_DELIVERED:
        return e->settlement->verdict.outcome == OUTCOME_RELAYED
                   ? JOURNAL_RELAYED
                   : JOURNAL_DELIVERED;
    case FATE_DEFERRED:
        return JOURNAL_DEFERRED;
    case FATE_BOUNCED:
        return JOURNAL_FAILED;
    case FATE_UNTRIED:
    default:
        return JOURNAL_NONE;
    }
}

/* Of what went well the journal knows the beginning: who sent it from where is
 * said again only where something has to be looked into. */
static void
note_settled(struct diary *d, const struct schedule_event *e)
{
    const struct sched_message *m = e->message;
    const struct verdict *v = &e->settlement->verdict;
    enum journal_kind kind = kind_of(e);
    bool well = e->fate == FATE_DELIVERED;
    char id[MSGID_TEXT], status[16];

    if (d == NULL || kind == JOURNAL_NONE)
        return;
    struct journal_event note = {
        .kind = kind,
        .message = msgid_format(m->id, id),
        .sender = m->envelope.sender.n > 0 ? m->envelope.sender : STR("<>"),
        .recipient = e->address,
        .remote = v->remote,
        .reply = v->text,
    };
    if (!well) {
        note.session = m->envelope.session;
        note.client = m->envelope.client;
        note.user = m->envelope.auth_user;
        note.status = status_format(v->status, status);
        note.reason = e->settlement->give_up && v->reason.n == 0
                          ? STR("expired")
                          : v->reason;
        note.next_ms = e->fate == FATE_DEFERRED ? e->settlement->next_ms : 0;
        if (e->fate == FATE_BOUNCED)
            note.detail = e->settlement->notice & NOTICE_BOUNCE
                              ? STR("the sender is told")
                              : STR("the sender is not told");
    }
    diary_note(d, &note);
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

    note_settled(ctx, e);
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

    diary_note(ctx, &(struct journal_event){
                        .kind = JOURNAL_EXPANDED,
                        .session = m->envelope.session,
                        .message = msgid_format(m->id, id),
                        .recipient = address,
                        .recipients = (uint32_t)n,
                    });
    log_event(LOG_INFO, "expanded", LOG_S("id", msgid_format(m->id, id)),
              LOG_S("session", m->envelope.session), LOG_S("alias", address),
              LOG_N("targets", (int64_t)n), LOG_END);
}
