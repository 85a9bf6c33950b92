/* SPDX-License-Identifier: ISC */
#include "dialogue.h"

#include <assert.h>
#include <stdlib.h>

void
dialogue_init(struct dialogue *d)
{
    *d = (struct dialogue){
        .options = {.hostname = STR("mx.example.com"),
                    .mechanisms = STR("PLAIN LOGIN"),
                    .starttls = true,
                    .max_size = 1000000,
                    .max_recipients = 1000,
                    .max_errors = 20,
                    .command_timeout_ms = 300000,
                    .data_timeout_ms = 180000},
    };
}

void
dialogue_fini(struct dialogue *d)
{
    struct str key;
    void *value;
    for (size_t i = 0; map_next(&d->refused, &i, &key, &value);)
        free(value);
    map_fini(&d->refused);
    if (d->started)
        smtp_server_fini(&d->server);
    buf_fini(&d->in);
    buf_fini(&d->out);
    buf_fini(&d->content);
    buf_fini(&d->message);
    buf_fini(&d->user);
}

void
dialogue_refuse(struct dialogue *d, struct str what, struct str reply)
{
    struct buf b = {0};
    buf_addf(&b, "%.*s\r\n", STR_ARG(reply));
    (void)buf_cstr(&b);
    free(map_put(&d->refused, what, b.p));
}

/* Answers by the policy for "kind name", else accepts. */
static bool
answer(struct dialogue *d, const char *kind, struct str name)
{
    struct buf key = {0};
    buf_addf(&key, "%s%s%.*s", kind, name.n > 0 ? " " : "", STR_ARG(name));
    const char *reply = map_get(&d->refused, buf_str(&key));
    if (reply != NULL)
        smtp_server_refuse(&d->server, str_from(reply));
    else
        smtp_server_accept(&d->server, STR_EMPTY);
    buf_fini(&key);
    return reply == NULL;
}

static void
judge(struct dialogue *d, struct str user, struct str password)
{
    if (d->login_user.n > 0 && str_eq(user, d->login_user) &&
        str_eq(password, d->login_password))
        smtp_server_accept(&d->server, STR_EMPTY);
    else
        smtp_server_refuse(&d->server, STR("535 5.7.8 wrong\r\n"));
}

/* PLAIN and LOGIN in their simplest form; the real ones are libgsasl's. */
static void
log_in(struct dialogue *d, const struct smtp_event *ev)
{
    if (ev->type == SMTP_EVENT_AUTH)
        d->plain = str_eq_nocase(ev->mechanism, STR("PLAIN"));
    if (ev->type == SMTP_EVENT_AUTH && !d->plain) {
        d->want_password = ev->has_bytes;
        buf_clear(&d->user);
        buf_add(&d->user, ev->bytes);
        smtp_server_challenge(&d->server, ev->has_bytes ? STR("Password:")
                                                        : STR("Username:"));
    } else if (!ev->has_bytes) {
        smtp_server_challenge(&d->server, STR_EMPTY);
    } else if (d->want_password) {
        d->want_password = false;
        judge(d, buf_str(&d->user), ev->bytes);
    } else if (!d->plain) {
        d->want_password = true;
        buf_add(&d->user, ev->bytes);
        smtp_server_challenge(&d->server, STR("Password:"));
    } else {
        struct str authzid, rest, user, password;
        (void)str_cut(ev->bytes, '\0', &authzid, &rest);
        (void)str_cut(rest, '\0', &user, &password);
        judge(d, user, password);
    }
}

static void
end_message(struct dialogue *d, const struct smtp_event *ev)
{
    static const char *const replies[] = {
        [SMTP_FLAW_BARE] = "554 5.6.0 bare CR or LF\r\n",
        [SMTP_FLAW_TOO_LARGE] = "552 5.3.4 too large\r\n",
        [SMTP_FLAW_LONG_LINE] = "554 5.6.0 line too long\r\n",
    };
    if (ev->flaw != SMTP_FLAW_NONE) {
        smtp_server_refuse(&d->server, str_from(replies[ev->flaw]));
        return;
    }
    const char *reply = map_get(&d->refused, STR("end"));
    if (reply != NULL) {
        smtp_server_refuse(&d->server, str_from(reply));
        return;
    }
    d->messages++;
    buf_clear(&d->message);
    buf_add(&d->message, buf_str(&d->content));
    smtp_server_accept(&d->server, STR("kept"));
}

static void
decide(struct dialogue *d, const struct smtp_event *ev)
{
    switch (ev->type) {
    case SMTP_EVENT_NONE:
    case SMTP_EVENT_RESET:
        break;
    case SMTP_EVENT_AUTH_END:
        d->want_password = false;
        break;
    case SMTP_EVENT_HELLO:
        (void)answer(d, "hello", ev->name);
        break;
    case SMTP_EVENT_STARTTLS:
        (void)answer(d, "starttls", STR_EMPTY);
        break;
    case SMTP_EVENT_AUTH:
    case SMTP_EVENT_AUTH_RESPONSE:
        log_in(d, ev);
        break;
    case SMTP_EVENT_SENDER:
        d->recipients = 0;
        if (ev->mail.size > d->options.max_size)
            smtp_server_refuse(&d->server, STR("552 5.3.4 too large\r\n"));
        else
            (void)answer(d, "sender", ev->mail.sender.whole);
        break;
    case SMTP_EVENT_RECIPIENT:
        if (d->recipients >= d->options.max_recipients)
            smtp_server_refuse(&d->server, STR("452 4.5.3 too many\r\n"));
        else if (answer(d, "rcpt", ev->rcpt.recipient.whole))
            d->recipients++;
        break;
    case SMTP_EVENT_CONTENT:
        buf_clear(&d->content);
        (void)answer(d, "content", STR_EMPTY);
        break;
    case SMTP_EVENT_BODY:
        buf_add(&d->content, ev->bytes);
        break;
    case SMTP_EVENT_END:
        end_message(d, ev);
        break;
    case SMTP_EVENT_CLOSE:
        d->closed = true;
        break;
    }
}

static bool
drain(struct dialogue *d)
{
    struct str out = smtp_server_output(&d->server);
    buf_add(&d->out, out);
    smtp_server_sent(&d->server, out.n);
    return out.n > 0;
}

void
dialogue_send(struct dialogue *d, struct str bytes)
{
    struct smtp_event ev;
    size_t used, at = 0;
    bool said;
    buf_add(&d->in, bytes);
    do {
        used = smtp_server_feed(&d->server, str_from_pos(buf_str(&d->in), at),
                                &ev);
        assert(used <= d->in.n - at);
        decide(d, &ev);
        at += used;
        said = drain(d);
    } while (!d->closed && (used > 0 || said || ev.type != SMTP_EVENT_NONE));
    buf_consume(&d->in, at);
}

void
dialogue_start(struct dialogue *d, bool tls)
{
    smtp_server_init(&d->server, &d->options, tls);
    d->server.forgiving = d->forgiving;
    d->started = true;
    (void)drain(d);
}

void
dialogue_tls(struct dialogue *d)
{
    buf_clear(&d->in);
    smtp_server_tls_started(&d->server);
}
