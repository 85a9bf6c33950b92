/* SPDX-License-Identifier: ISC */
#include "receive/auth.h"

#include "os/log.h"
#include "receive/decide.h"
#include "receive/note.h"

void
auth_end(struct session *s)
{
    login_cancel(s->question);
    s->question = NULL;
    sasl_free(s->sasl);
    s->sasl = NULL;
}

static void
admit(struct session *s, struct str account)
{
    buf_clear(&s->user);
    buf_add(&s->user, account);
    s->who.user = buf_str(&s->user);
    log_event(LOG_INFO, "login", LOG_S("session", str_from(s->id)),
              LOG_S("client", str_from(s->client)), LOG_S("user", s->who.user),
              LOG_END);
    note_login(s);
    smtp_server_accept(&s->smtp, STR_EMPTY);
}

/* Only who has shown that the account is theirs is told about it. */
static void
refuse_account(struct session *s, const struct login_msg *m)
{
    struct str detail = STR("It is switched off.");
    if (m->result == LOGIN_SUSPENDED)
        detail = arena_printf(&s->worker->scratch, "The reason: %.*s.",
                              STR_ARG(m->detail));
    s->who.user = m->account;
    decide_refuse(s, STR("account-suspended"), STR_EMPTY, detail);
    s->who.user = STR_EMPTY;
}

static void
finish_login(struct session *s, const struct login_msg *m)
{
    s->question = NULL;
    s->wait = WAIT_NOTHING;
    switch (m->result) {
    case LOGIN_OK:
        admit(s, m->account);
        break;
    case LOGIN_SUSPENDED:
    case LOGIN_DISABLED:
        refuse_account(s, m);
        break;
    case LOGIN_DENIED:
        decide_refuse(s, STR("login-failed"), STR_EMPTY, STR_EMPTY);
        break;
    case LOGIN_BRAKED:
        decide_refuse(s, STR("too-many-failed-logins"), STR_EMPTY, STR_EMPTY);
        break;
    case LOGIN_TROUBLE:
    case LOGIN_RESULTS:
        decide_refuse(s, STR("login-trouble"), STR_EMPTY, STR_EMPTY);
        break;
    }
    auth_end(s);
}

static void
cannot_say(struct session *s)
{
    finish_login(s, &(struct login_msg){.result = LOGIN_TROUBLE});
}

static void
on_directory(void *ctx, const struct login_msg *m)
{
    struct session *s = ctx;
    if (s->wait != WAIT_LOGIN) { // the client was too slow: told when it speaks
        s->question = NULL;
        return;
    }
    if (m->type == LOGIN_CHALLENGE) {
        s->wait = WAIT_NOTHING;
        smtp_server_challenge(&s->smtp, m->bytes);
    } else {
        finish_login(s, m);
    }
    conn_again(s->conn);
}

void
auth_late(struct session *s)
{
    login_cancel(s->question);
    cannot_say(s);
}

static void
ask_directory(struct session *s, const struct login_msg *m)
{
    s->question = login_ask(s->worker->desk, m, on_directory, s);
    if (s->question != NULL)
        s->wait = WAIT_LOGIN;
    else
        cannot_say(s);
}

static void
ask_password(struct session *s)
{
    ask_directory(s, &(struct login_msg){.type = LOGIN_ASK,
                                         .user = sasl_user(s->sasl),
                                         .password = sasl_password(s->sasl),
                                         .client = str_from(s->client),
                                         .session = str_from(s->id)});
}

static void
begin_exchange(struct session *s, struct str bytes)
{
    const struct tls *tls = conn_tls(s->conn);
    struct buf unique = {0}, exporter = {0};
    if (tls != NULL) {
        (void)tls_channel_binding(tls, TLS_UNIQUE, &unique);
        (void)tls_channel_binding(tls, TLS_EXPORTER, &exporter);
    }
    ask_directory(s, &(struct login_msg){.type = LOGIN_START,
                                         .plus = sasl_plus(s->sasl),
                                         .unique = buf_str(&unique),
                                         .exporter = buf_str(&exporter),
                                         .client = str_from(s->client),
                                         .session = str_from(s->id),
                                         .bytes = bytes});
    buf_fini(&unique);
    buf_fini(&exporter);
}

static void
pass_on(struct session *s, struct str bytes)
{
    if (s->question == NULL) {
        cannot_say(s);
        return;
    }
    login_respond(s->question, bytes);
    s->wait = WAIT_LOGIN;
}

void
auth_step(struct session *s, const struct smtp_event *ev)
{
    struct buf challenge = {0};
    enum sasl_result r = SASL_MALFORMED;
    if (ev->type == SMTP_EVENT_AUTH) {
        auth_end(s);
        s->sasl = sasl_new(s->worker->sasl, ev->mechanism);
    }
    if (s->sasl != NULL)
        r = sasl_step(s->sasl, ev->bytes, ev->has_bytes, &challenge);
    switch (r) {
    case SASL_MORE:
        smtp_server_challenge(&s->smtp, buf_str(&challenge));
        break;
    case SASL_CREDENTIALS:
        ask_password(s);
        break;
    case SASL_BEGIN:
        begin_exchange(s, ev->bytes);
        break;
    case SASL_PASS_ON:
        pass_on(s, ev->bytes);
        break;
    case SASL_MALFORMED:
        auth_end(s);
        decide_refuse(s, STR("login-failed"), STR_EMPTY, STR_EMPTY);
        break;
    }
    buf_fini(&challenge);
}
