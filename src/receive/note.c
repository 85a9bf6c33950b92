/* SPDX-License-Identifier: ISC */
#include "receive/note.h"

#include <string.h>

#include "gate/report.h"
#include "room/diary.h"

enum { RECIPIENTS_MAX = 1900 }; /* octets of a list of recipients */

static bool
is_repeat(const struct session *s, struct str reason)
{
    return s->again.n >= NOTE_APART && str_eq(s->again.reason, reason);
}

void
note_verdict(struct session *s, enum gate_stage stage,
             const struct gate_facts *f, const struct gate_verdict *v)
{
    struct worker *w = s->worker;
    struct gate_report report = {.n = 0};

    if (w->room->diary == NULL || is_repeat(s, v->reason))
        return;
    (void)gate_judge(stage, f, &report);
    buf_clear(&w->note.report);
    gate_report_add(&w->note.report, &report);
    w->note.check = v->check;
    w->note.line = 0;
    if (v->check != NULL && v->check->option != NULL && f->policy->line != NULL)
        w->note.line =
            f->policy->line(f->policy->ctx, str_from(v->check->option));
    w->note.has_sender = stage >= GATE_MAIL;
}

struct str
note_incident(struct session *s, struct str reason, char out[INCIDENT_TEXT])
{
    if (is_repeat(s, reason)) {
        memcpy(out, s->again.incident, INCIDENT_TEXT);
        s->again.n++;
        return str_from(out);
    }
    struct str name = worker_name(s->worker, out);
    s->again.n = str_eq(s->again.reason, reason) ? s->again.n + 1 : 1;
    s->again.reason = reason;
    memcpy(s->again.incident, out, INCIDENT_TEXT);
    return name;
}

static struct str
user_of(const struct session *s)
{
    if (s->who.user.n > 0 || s->sasl == NULL)
        return s->who.user;
    return sasl_user(s->sasl);
}

static struct str
sender_of(const struct session *s, struct str sender, bool known)
{
    bool open = known || s->envelope.n_rcpts > 0;
    return sender.n == 0 && open ? STR("<>") : sender;
}

void
note_refused(struct session *s, const struct note_refusal *r)
{
    struct worker *w = s->worker;
    struct diary *d = w->room->diary;
    const struct gate_check *check = w->note.check;

    if (s->again.n > NOTE_APART) {
        diary_repeat(d, r->incident);
        return;
    }
    diary_note(
        d, &(struct journal_event){
               .kind = s->sasl != NULL ? JOURNAL_LOGIN_FAILED : JOURNAL_REFUSED,
               .session = str_from(s->id),
               .incident = r->incident,
               .client = str_from(s->client),
               .user = user_of(s),
               .helo = buf_str(&s->helo),
               .sender = sender_of(s, r->sender, w->note.has_sender),
               .recipient = r->recipient,
               .reason = r->reason,
               .rule = check == NULL ? STR_EMPTY : str_from(check->name),
               .option = check == NULL ? STR_EMPTY : str_from(check->option),
               .line = w->note.line,
               .detail = r->detail,
               .reply = str_trim(r->reply),
               .report = buf_str(&w->note.report),
           });
    buf_clear(&w->note.report);
    w->note.check = NULL;
    w->note.line = 0;
    w->note.has_sender = false;
}

/* All of them, if there is room for all. */
static struct str
list_recipients(struct session *s)
{
    const struct envelope *e = &s->envelope;
    struct buf *list = &s->worker->note.report;

    if (e->n_rcpts == 1)
        return e->rcpts[0].address;
    buf_clear(list);
    for (size_t i = 0; i < e->n_rcpts; i++) {
        if (list->n + e->rcpts[i].address.n > RECIPIENTS_MAX)
            break;
        if (i > 0)
            buf_add_char(list, '\n');
        buf_add(list, e->rcpts[i].address);
    }
    return buf_str(list);
}

void
note_accepted(struct session *s, struct str id)
{
    const struct envelope *e = &s->envelope;

    if (s->worker->room->diary == NULL)
        return;
    diary_note(s->worker->room->diary,
               &(struct journal_event){
                   .kind = JOURNAL_ACCEPTED,
                   .session = str_from(s->id),
                   .message = id,
                   .client = e->client,
                   .user = e->auth_user,
                   .helo = e->helo,
                   .sender = e->sender.n > 0 ? e->sender : STR("<>"),
                   .recipient = list_recipients(s),
                   .recipients = (uint32_t)e->n_rcpts,
                   .size = s->stored_size,
                   .protocol = e->protocol,
               });
    buf_clear(&s->worker->note.report);
}

void
note_login(struct session *s)
{
    diary_note(s->worker->room->diary, &(struct journal_event){
                                           .kind = JOURNAL_LOGIN,
                                           .session = str_from(s->id),
                                           .client = str_from(s->client),
                                           .user = s->who.user,
                                           .helo = buf_str(&s->helo),
                                       });
}
