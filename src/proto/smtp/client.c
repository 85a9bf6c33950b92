/* SPDX-License-Identifier: ISC */
#include "proto/smtp/client.h"

#include "proto/smtp/client_internal.h"

enum {
    KEPT_MAX = 1 << 20, /* octets of replies kept whole per transaction */
    KEPT_SHORT = 200,   /* and of each one beyond that */
    QUIT_TIMEOUT_MS = 5000,
};

void
smtp_client_init(struct smtp_client *m,
                 const struct smtp_client_options *options, struct instant now)
{
    *m = (struct smtp_client){.options = *options, .since_ms = now.mono_ms};
}

void
smtp_client_fini(struct smtp_client *m)
{
    smtp_reply_fini(&m->reply);
    buf_fini(&m->out);
    arena_fini(&m->arena);
}

/* A thousand recipients mostly hear the same words: those are kept once. */
static struct str
keep(struct smtp_client *m, struct str text)
{
    if (str_eq(text, m->last_text))
        return m->last_text;
    if (m->kept + text.n > KEPT_MAX)
        text = str_first(text, KEPT_SHORT);
    m->kept += text.n;
    m->last_text = arena_dup(&m->arena, text);
    return m->last_text;
}

unsigned
client_class(const struct smtp_client *m)
{
    return m->reply.code / 100;
}

struct verdict
client_verdict(struct smtp_client *m, const char *command)
{
    struct verdict v = {.code = m->reply.code,
                        .text = keep(m, smtp_reply_text(&m->reply)),
                        .remote = m->options.remote,
                        .command = str_from(command)};

    v.status = status_find(v.text);
    v.outcome = client_class(m) == 2   ? OUTCOME_RELAYED
                : client_class(m) == 5 ? OUTCOME_REFUSED
                                       : OUTCOME_LATER;
    return v;
}

struct verdict
client_judge(const struct smtp_client *m, enum outcome outcome,
             struct status status, const char *reason, struct str text,
             const char *command)
{
    return (struct verdict){.outcome = outcome,
                            .status = status,
                            .reason = str_from(reason),
                            .text = text,
                            .remote = m->options.remote,
                            .command = str_from(command)};
}

void
client_fail(struct smtp_client *m, struct verdict why)
{
    m->failed = why;
    // 421 means that nobody listens any more.
    if (why.code != 0 && why.code != 421)
        buf_add(&m->out, STR("QUIT\r\n"));
    m->state = SMTP_CLIENT_CLOSED;
}

const char *
client_stage(const struct smtp_client *m)
{
    static const char *const names[] = {
        [SMTP_CLIENT_GREETING] = "greeting",
        [SMTP_CLIENT_EHLO] = "EHLO",
        [SMTP_CLIENT_HELO] = "HELO",
        [SMTP_CLIENT_STARTTLS] = "STARTTLS",
        [SMTP_CLIENT_HANDSHAKE] = "TLS handshake",
        [SMTP_CLIENT_AUTH_PLAIN] = "AUTH PLAIN",
        [SMTP_CLIENT_AUTH_LOGIN] = "AUTH LOGIN",
        [SMTP_CLIENT_AUTH_USER] = "AUTH LOGIN",
        [SMTP_CLIENT_AUTH_PASSWORD] = "AUTH LOGIN",
        [SMTP_CLIENT_IDLE] = "between messages",
        [SMTP_CLIENT_BODY] = "message content",
        [SMTP_CLIENT_DOT] = "end of data",
        [SMTP_CLIENT_QUIT] = "QUIT",
        [SMTP_CLIENT_CLOSED] = "QUIT",
    };

    if (m->state != SMTP_CLIENT_ENVELOPE)
        return names[m->state];
    return m->heard == 0             ? "RSET"
           : m->heard == 1           ? "MAIL FROM"
           : m->heard < m->asked + 2 ? "RCPT TO"
                                     : "DATA";
}

void
smtp_client_lost(struct smtp_client *m, struct status status,
                 const char *reason, struct str why)
{
    struct str text = arena_dup(&m->arena, why);
    enum smtp_client_state was = m->state;

    if (was == SMTP_CLIENT_CLOSED)
        return;
    if (was == SMTP_CLIENT_DOT && m->accepted > 0)
        text = arena_printf(&m->arena,
                            "%.*s; the message was sent whole and may have "
                            "been taken, so the next attempt may double it",
                            STR_ARG(why));
    struct verdict v =
        client_judge(m, OUTCOME_LATER, status, reason, text, client_stage(m));

    m->state = SMTP_CLIENT_CLOSED;
    if (was == SMTP_CLIENT_ENVELOPE || was == SMTP_CLIENT_BODY ||
        was == SMTP_CLIENT_DOT)
        client_settle(m, v);
    if (was != SMTP_CLIENT_QUIT)
        m->failed = v;
}

void
client_confused(struct smtp_client *m)
{
    struct str said = str_first(smtp_reply_text(&m->reply), KEPT_SHORT);
    const char *problem = m->reply.problem != NULL
                              ? m->reply.problem
                              : "the peer's reply fits no question";

    smtp_client_lost(
        m, (struct status){4, 5, 0}, "protocol",
        arena_printf(&m->arena, "%s: %.*s", problem, STR_ARG(said)));
}

void
smtp_client_timed_out(struct smtp_client *m)
{
    smtp_client_lost(m, (struct status){4, 4, 2}, "timeout",
                     m->state == SMTP_CLIENT_BODY
                         ? STR("the peer has stopped reading")
                         : STR("no answer in time"));
}

/* Nobody asked: mostly "421 idle for too long". */
static void
on_idle(struct smtp_client *m, bool more)
{
    (void)more;
    client_fail(m, client_verdict(m, client_stage(m)));
}

static void
on_quit(struct smtp_client *m, bool more)
{
    (void)more;
    m->state = SMTP_CLIENT_CLOSED;
}

/* Who understands a reply; a state without a function expects none. */
static void (*const replies[])(struct smtp_client *m, bool more) = {
    [SMTP_CLIENT_GREETING] = client_on_greeting,
    [SMTP_CLIENT_EHLO] = client_on_ehlo,
    [SMTP_CLIENT_HELO] = client_on_helo,
    [SMTP_CLIENT_STARTTLS] = client_on_starttls,
    [SMTP_CLIENT_HANDSHAKE] = NULL,
    [SMTP_CLIENT_AUTH_PLAIN] = client_on_auth,
    [SMTP_CLIENT_AUTH_LOGIN] = client_on_auth,
    [SMTP_CLIENT_AUTH_USER] = client_on_auth,
    [SMTP_CLIENT_AUTH_PASSWORD] = client_on_auth,
    [SMTP_CLIENT_IDLE] = on_idle,
    [SMTP_CLIENT_ENVELOPE] = client_on_envelope,
    [SMTP_CLIENT_BODY] = client_on_body,
    [SMTP_CLIENT_DOT] = client_on_dot,
    [SMTP_CLIENT_QUIT] = on_quit,
    [SMTP_CLIENT_CLOSED] = NULL,
};

static bool
tell(bool *flag)
{
    bool was = *flag;
    *flag = false;
    return was;
}

static enum smtp_client_event
next_event(struct smtp_client *m)
{
    if (tell(&m->tell_done))
        return SMTP_CLIENT_DONE;
    if (m->state == SMTP_CLIENT_CLOSED)
        return SMTP_CLIENT_CLOSE;
    if (tell(&m->tell_tls))
        return SMTP_CLIENT_START_TLS;
    if (tell(&m->tell_ready))
        return SMTP_CLIENT_READY;
    if (tell(&m->tell_content))
        return SMTP_CLIENT_CONTENT;
    return SMTP_CLIENT_NEED_INPUT;
}

size_t
smtp_client_feed(struct smtp_client *m, struct instant now, struct str input,
                 enum smtp_client_event *event)
{
    size_t used;

    *event = next_event(m);
    if (*event != SMTP_CLIENT_NEED_INPUT || replies[m->state] == NULL)
        return 0;

    used = smtp_reply_feed(&m->reply, input);
    if (m->reply.state == SMTP_REPLY_BAD) {
        client_confused(m);
    } else if (m->reply.state == SMTP_REPLY_WHOLE) {
        m->since_ms = now.mono_ms;
        replies[m->state](m, used < input.n);
        smtp_reply_next(&m->reply);
    }
    *event = next_event(m);
    return used;
}

void
smtp_client_quit(struct smtp_client *m, struct instant now)
{
    if (m->state != SMTP_CLIENT_IDLE)
        return;
    m->tell_ready = false;
    m->since_ms = now.mono_ms;
    buf_add(&m->out, STR("QUIT\r\n"));
    m->state = SMTP_CLIENT_QUIT;
}

int64_t
smtp_client_deadline(const struct smtp_client *m)
{
    switch (m->state) {
    case SMTP_CLIENT_IDLE:
    case SMTP_CLIENT_CLOSED:
        return INT64_MAX;
    case SMTP_CLIENT_BODY:
    case SMTP_CLIENT_DOT:
        return m->since_ms + m->options.data_timeout_ms;
    case SMTP_CLIENT_QUIT:
        return m->since_ms + QUIT_TIMEOUT_MS;
    case SMTP_CLIENT_GREETING:
    case SMTP_CLIENT_EHLO:
    case SMTP_CLIENT_HELO:
    case SMTP_CLIENT_STARTTLS:
    case SMTP_CLIENT_HANDSHAKE:
    case SMTP_CLIENT_AUTH_PLAIN:
    case SMTP_CLIENT_AUTH_LOGIN:
    case SMTP_CLIENT_AUTH_USER:
    case SMTP_CLIENT_AUTH_PASSWORD:
    case SMTP_CLIENT_ENVELOPE:
        break;
    }
    return m->since_ms + m->options.command_timeout_ms;
}

struct str
smtp_client_output(const struct smtp_client *m)
{
    return buf_str(&m->out);
}

void
smtp_client_sent(struct smtp_client *m, struct instant now, size_t n)
{
    if (n > 0)
        m->since_ms = now.mono_ms;
    buf_consume(&m->out, n);
    if (m->state == SMTP_CLIENT_ENVELOPE)
        client_advance(m);
}
