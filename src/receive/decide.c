/* SPDX-License-Identifier: ISC */
#include "receive/decide.h"

#include <assert.h>

#include "catalogue/catalogue.h"
#include "os/log.h"
#include "receive/allowance.h"
#include "receive/arrive.h"
#include "receive/auth.h"
#include "receive/facts.h"
#include "receive/note.h"

/* How long a client waits for its reply when the queue asks for less. */
enum { PACE_MS = 20 };

static struct str
domain_of(struct str address)
{
    ssize_t at = str_rfind_char(address, '@');
    return at < 0 ? STR_EMPTY : str_from_pos(address, (size_t)at + 1);
}

/* The domain that all recipients have in common; empty: none. */
static struct str
common_domain(const struct envelope *e)
{
    struct str first =
        e->n_rcpts > 0 ? domain_of(e->rcpts[0].address) : STR_EMPTY;
    for (size_t i = 1; i < e->n_rcpts; i++)
        if (!str_eq_nocase(first, domain_of(e->rcpts[i].address)))
            return STR_EMPTY;
    return first;
}

/* Whose `reply` section is asked first: the recipient's domain, that of all of
 * them, else a sender's, which may be one of ours. */
static struct str
chosen_text(struct session *s, struct str reason, struct str sender,
            struct str about)
{
    struct worker *w = s->worker;
    const struct conf *c = w->room->conf;
    struct str domain = domain_of(about);
    if (c->n_replies == 0)
        return STR_EMPTY;
    if (domain.n == 0 && s->envelope.n_rcpts > 0)
        domain = common_domain(&s->envelope);
    else if (domain.n == 0)
        domain = domain_of(sender);
    return conf_reply_text(c, reason, domain_key(&w->scratch, domain));
}

struct str
decide_reply(struct session *s, struct str reason, struct str sender,
             struct str about, struct str detail)
{
    struct worker *w = s->worker;
    const struct conf *conf = w->room->conf;
    const struct reason *r = catalogue_find(reason);
    char incident[INCIDENT_TEXT];
    assert(r != NULL);

    const struct reason_params p = {
        .sender = sender,
        .recipient = about,
        .recipient_domain = domain_of(about),
        .domain = conf->hostname,
        .user = s->who.user,
        .host = str_from(s->client),
        .detail = detail,
        .incident = note_incident(s, r->id, incident),
    };
    buf_clear(&w->reply);
    catalogue_reply(&w->reply, r, &p, chosen_text(s, reason, sender, about));
    log_event(LOG_INFO, "refused", LOG_S("session", str_from(s->id)),
              LOG_S("reason", reason), LOG_S("incident", p.incident),
              LOG_S("client", str_from(s->client)), LOG_S("user", s->who.user),
              LOG_S("sender", sender), LOG_S("recipient", about), LOG_END);
    note_refused(s, &(struct note_refusal){.reason = r->id,
                                           .incident = p.incident,
                                           .sender = sender,
                                           .recipient = about,
                                           .detail = detail,
                                           .reply = buf_str(&w->reply)});
    return buf_str(&w->reply);
}

void
decide_refuse(struct session *s, struct str reason, struct str about,
              struct str detail)
{
    smtp_server_refuse(
        &s->smtp, decide_reply(s, reason, s->envelope.sender, about, detail));
}

static void
agree(struct session *s)
{
    smtp_server_accept(&s->smtp, STR_EMPTY);
}

/* ---- the envelope ------------------------------------------------------ */

void
decide_forget(struct session *s)
{
    intake_abort(&s->intake);
    allowance_give_back(s);
    arena_reset(&s->arena);
    s->envelope = (struct envelope){.sender = STR_EMPTY};
    s->rcpts = (struct rcpts){0};
}

static void
on_hello(struct session *s, const struct smtp_event *ev)
{
    decide_forget(s);
    buf_clear(&s->helo);
    buf_add(&s->helo, ev->name);
    s->who.helo = buf_str(&s->helo);
    if (!arrive_complete(s, ev))
        return;
    struct gate_facts f = facts_of(s);
    struct gate_verdict v = gate_judge(GATE_HELLO, &f, NULL);
    if (v.reason.n == 0) {
        agree(s);
        return;
    }
    note_verdict(s, GATE_HELLO, &f, &v);
    decide_refuse(s, v.reason, STR_EMPTY, v.detail);
}

static void
on_sender(struct session *s, const struct smtp_event *ev)
{
    const struct smtp_mail *mail = &ev->mail;
    struct gate_facts f = facts_of(s);
    gate_facts_sender(&f, &mail->sender, mail->size);
    if (!facts_complete(s, GATE_MAIL, &f, ev))
        return;
    struct gate_verdict v = gate_judge(GATE_MAIL, &f, NULL);

    decide_forget(s);
    if (v.reason.n > 0) {
        note_verdict(s, GATE_MAIL, &f, &v);
        smtp_server_refuse(
            &s->smtp,
            decide_reply(s, v.reason, mail->sender.whole, STR_EMPTY, v.detail));
        return;
    }
    if (!allowance_take_message(s, mail->sender.whole))
        return;
    s->envelope.sender = arena_dup(&s->arena, mail->sender.whole);
    s->envelope.envid = arena_dup(&s->arena, mail->envid);
    s->envelope.ret = mail->ret;
    s->envelope.body = mail->body;
    s->envelope.smtputf8 = mail->smtputf8;
    agree(s);
}

static void
on_recipient(struct session *s, const struct smtp_event *ev)
{
    const struct address *a = &ev->rcpt.recipient;
    struct gate_facts f = facts_of(s);
    struct address sender;
    facts_sender(s, &sender);
    f.sender = &sender; // some lists take mail from their members only
    gate_facts_recipient(&f, a, s->envelope.n_rcpts);
    if (!facts_complete(s, GATE_RCPT, &f, ev))
        return;
    struct gate_verdict v = gate_judge(GATE_RCPT, &f, NULL);
    if (v.reason.n > 0) {
        note_verdict(s, GATE_RCPT, &f, &v);
        decide_refuse(s, v.reason, a->whole, v.detail);
        return;
    }
    if (!allowance_take_recipient(s, a->whole))
        return;
    size_t before = s->envelope.n_rcpts;
    rcpts_add(&s->rcpts, &s->arena, &s->envelope, &ev->rcpt);
    if (s->envelope.n_rcpts == before) // said twice
        allowance_return_recipient(s);
    agree(s);
}

/* ---- the content ------------------------------------------------------- */

static void
refuse_spool(struct session *s, enum spool_result why)
{
    if (why == SPOOL_FULL)
        decide_refuse(s, STR("spool-full"), STR_EMPTY, STR_EMPTY);
    else if (why == SPOOL_CLOSED)
        smtp_server_refuse(&s->smtp, STR("421 4.3.0 the disk of this server "
                                         "fails, try again later\r\n"));
    else
        decide_refuse(s, STR("spool-trouble"), STR_EMPTY, STR_EMPTY);
}

static bool
is_submission(const struct session *s)
{
    return s->who.local || s->who.user.n > 0;
}

static struct trace
make_trace(const struct session *s)
{
    const struct envelope *e = &s->envelope;
    const struct tls *tls = conn_tls(s->conn);
    return (struct trace){
        .helo = buf_str(&s->helo),
        .client = str_from(s->client),
        .uid = s->uid,
        .hostname = s->worker->room->conf->hostname,
        .protocol = e->protocol,
        .tls_version = tls != NULL ? tls_version(tls) : STR_EMPTY,
        .tls_cipher = tls != NULL ? tls_cipher(tls) : STR_EMPTY,
        .recipient = e->n_rcpts == 1 ? e->rcpts[0].address : STR_EMPTY,
        .wall_ms = e->arrived_ms,
    };
}

static void
on_content(struct session *s)
{
    struct envelope *e = &s->envelope;
    enum spool_result why = SPOOL_OK;

    e->arrived_ms = loop_now(s->worker->room->loop).wall_ms;
    e->client = str_from(s->client);
    e->helo = buf_str(&s->helo);
    e->auth_user = s->who.user;
    e->session = str_from(s->id);
    e->protocol = trace_protocol(s->smtp.esmtp, s->smtp.tls, s->smtp.logged_in,
                                 e->smtputf8);
    const struct trace trace = make_trace(s);
    if (intake_begin(&s->intake, door_spool(s->worker->door), e, &trace,
                     is_submission(s), &why)) {
        s->intake.rules.rules = s->worker->rules;
        agree(s);
    } else {
        refuse_spool(s, why);
    }
}

static void
on_body(struct session *s, const struct smtp_event *ev)
{
    if (s->intake.message != NULL && !intake_body(&s->intake, ev->bytes))
        s->wait = WAIT_ROOM;
}

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    struct session *s = ctx;
    s->answered = true;
    s->stored = result;
    s->stored_id = id;
    if (s->conn != NULL)
        conn_again(s->conn);
    else
        session_end(s);
}

static void
on_end(struct session *s, const struct smtp_event *ev)
{
    intake_end(&s->intake);
    struct gate_facts f = facts_of(s);
    f.content = (struct gate_content){
        .bare = ev->flaw == SMTP_FLAW_BARE,
        .too_large = ev->flaw == SMTP_FLAW_TOO_LARGE,
        .long_line = ev->flaw == SMTP_FLAW_LONG_LINE,
        .received = s->intake.scan.received,
        .rule = s->intake.rules.line,
    };
    if (f.content.rule > 0)
        f.content.remark = rules_remark(s->worker->rules, f.content.rule);
    struct gate_verdict v = gate_judge(GATE_DATA, &f, NULL);
    if (v.reason.n > 0) {
        note_verdict(s, GATE_DATA, &f, &v);
        decide_refuse(s, v.reason, STR_EMPTY, v.detail);
        decide_forget(s);
        return;
    }
    s->wait = WAIT_STORED;
    s->answered = false;
    s->stored_size = spool_message_size(s->intake.message);
    intake_commit(&s->intake, ev->dots, on_stored, s);
}

static void
log_accepted(const struct session *s, struct str id)
{
    const struct envelope *e = &s->envelope;
    log_event(
        LOG_INFO, "accepted", LOG_S("session", str_from(s->id)),
        LOG_S("id", id), LOG_S("client", e->client),
        LOG_S("user", e->auth_user), LOG_S("protocol", e->protocol),
        LOG_S("sender", e->sender),
        LOG_S("recipient", e->n_rcpts == 1 ? e->rcpts[0].address : STR_EMPTY),
        LOG_N("recipients", (int64_t)e->n_rcpts),
        LOG_N("size", (int64_t)s->stored_size), LOG_END);
}

void
decide_stored(struct session *s)
{
    char id[MSGID_TEXT];
    s->wait = WAIT_NOTHING;
    s->answered = false;
    if (s->stored != SPOOL_OK) {
        refuse_spool(s, s->stored);
    } else {
        struct str text = arena_printf(&s->worker->scratch, "kept as %.*s",
                                       STR_ARG(msgid_format(s->stored_id, id)));
        log_accepted(s, str_from(id));
        allowance_spend(s);
        note_accepted(s, str_from(id));
        smtp_server_accept(&s->smtp, text);
    }
    decide_forget(s);
    if (door_slow(s->worker->door)) {
        s->wait = WAIT_PACE;
        s->resume_ms = loop_now(s->worker->room->loop).mono_ms + PACE_MS;
    }
}

/* ------------------------------------------------------------------------ */

void
decide(struct session *s, const struct smtp_event *ev)
{
    switch (ev->type) {
    case SMTP_EVENT_NONE:
    case SMTP_EVENT_CLOSE:
        break;
    case SMTP_EVENT_HELLO:
        on_hello(s, ev);
        break;
    case SMTP_EVENT_STARTTLS:
        decide_forget(s);
        agree(s);
        break;
    case SMTP_EVENT_AUTH:
    case SMTP_EVENT_AUTH_RESPONSE:
        auth_step(s, ev);
        break;
    case SMTP_EVENT_AUTH_END:
        auth_end(s);
        break;
    case SMTP_EVENT_SENDER:
        on_sender(s, ev);
        break;
    case SMTP_EVENT_RECIPIENT:
        on_recipient(s, ev);
        break;
    case SMTP_EVENT_CONTENT:
        on_content(s);
        break;
    case SMTP_EVENT_BODY:
        on_body(s, ev);
        break;
    case SMTP_EVENT_END:
        on_end(s, ev);
        break;
    case SMTP_EVENT_RESET:
        decide_forget(s);
        break;
    }
    arena_reset(&s->worker->scratch);
}

void
decide_facts(struct session *s)
{
    s->wait = WAIT_NOTHING;
    decide(s, facts_event(s));
    if (s->wait != WAIT_FACTS)
        facts_end(s);
}
