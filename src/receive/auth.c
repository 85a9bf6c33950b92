/* SPDX-License-Identifier: ISC */
#include "receive/auth.h"

#include "os/log.h"
#include "receive/decide.h"

void
auth_end(struct session *s)
{
    sasl_free(s->sasl);
    s->sasl = NULL;
}

static void
finish_login(struct session *s, enum login_result result, struct str account)
{
    s->question = NULL;
    s->wait = WAIT_NOTHING;
    if (result == LOGIN_OK) {
        buf_clear(&s->user);
        buf_add(&s->user, account);
        s->who.user = buf_str(&s->user);
        log_event(LOG_INFO, "login", LOG_S("session", str_from(s->id)),
                  LOG_S("client", str_from(s->client)),
                  LOG_S("user", s->who.user), LOG_END);
        smtp_server_accept(&s->smtp, STR_EMPTY);
    } else {
        decide_refuse(s,
                      result == LOGIN_DENIED ? STR("login-failed")
                                             : STR("login-trouble"),
                      STR_EMPTY, STR_EMPTY);
    }
    auth_end(s);
}

static void
on_login(void *ctx, enum login_result result, struct str account)
{
    struct session *s = ctx;
    finish_login(s, result, account);
    conn_again(s->conn);
}

void
auth_late(struct session *s)
{
    login_cancel(s->question);
    finish_login(s, LOGIN_TROUBLE, STR_EMPTY);
}

static void
ask_directory(struct session *s)
{
    s->question =
        login_ask(s->worker->desk, sasl_user(s->sasl), sasl_password(s->sasl),
                  str_from(s->client), str_from(s->id), on_login, s);
    if (s->question != NULL)
        s->wait = WAIT_LOGIN;
    else
        finish_login(s, LOGIN_TROUBLE, STR_EMPTY);
}

void
auth_step(struct session *s, const struct smtp_event *ev)
{
    struct buf challenge = {0};
    if (ev->type == SMTP_EVENT_AUTH) {
        auth_end(s);
        s->sasl = sasl_new(s->worker->sasl, ev->mechanism);
    }
    enum sasl_result r = s->sasl == NULL ? SASL_MALFORMED
                                         : sasl_step(s->sasl, ev->bytes,
                                                     ev->has_bytes, &challenge);
    if (r == SASL_MORE) {
        smtp_server_challenge(&s->smtp, buf_str(&challenge));
    } else if (r == SASL_CREDENTIALS) {
        ask_directory(s);
    } else {
        auth_end(s);
        decide_refuse(s, STR("login-failed"), STR_EMPTY, STR_EMPTY);
    }
    buf_fini(&challenge);
}
