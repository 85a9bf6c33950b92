/* SPDX-License-Identifier: ISC */
/* From the greeting to the first message: EHLO, STARTTLS, AUTH. */
#include "proto/smtp/client_internal.h"

#include "proto/smtp/base64.h"

static void
fail_by_reply(struct smtp_client *m)
{
    if (client_class(m) == 4 || client_class(m) == 5)
        client_fail(m, client_verdict(m, client_stage(m)));
    else
        client_confused(m);
}

/* What is between us and the peer is not the message's fault, and can be
 * mended without it: later, even where the reply says never. */
static void
defer_by_reply(struct smtp_client *m, const char *reason)
{
    struct verdict v = client_verdict(m, client_stage(m));
    v.outcome = OUTCOME_LATER;
    v.reason = str_from(reason);
    client_fail(m, v);
}

void
client_say_ehlo(struct smtp_client *m)
{
    m->extensions = 0;
    m->size_limit = m->rcpt_limit = m->mail_limit = 0;
    buf_addf(&m->out, "EHLO %.*s\r\n", STR_ARG(m->options.helo));
    m->state = SMTP_CLIENT_EHLO;
}

void
client_on_greeting(struct smtp_client *m, bool more)
{
    (void)more;
    if (client_class(m) == 2)
        client_say_ehlo(m);
    else
        fail_by_reply(m);
}

/* limit-name "=" limit-value; what is not understood does not count.
 * RFC 9422 3 */
static void
take_limits(struct smtp_client *m, struct str limits)
{
    struct str limit, name, value;
    while (limits.n > 0) {
        (void)str_cut(limits, ' ', &limit, &limits);
        (void)str_cut(limit, '=', &name, &value);
        if (str_eq_nocase(name, STR("RCPTMAX")))
            (void)str_to_u64(value, &m->rcpt_limit);
        else if (str_eq_nocase(name, STR("MAILMAX")))
            (void)str_to_u64(value, &m->mail_limit);
    }
}

/* ehlo-keyword *( SP ehlo-param )      RFC 5321 4.1.1.1 */
static void
take_extension(struct smtp_client *m, struct str line)
{
    static const struct {
        const char *keyword;
        unsigned bit;
    } known[] = {
        {"PIPELINING", SMTP_HAS_PIPELINING},
        {"SIZE",       SMTP_HAS_SIZE      },
        {"8BITMIME",   SMTP_HAS_8BITMIME  },
        {"SMTPUTF8",   SMTP_HAS_SMTPUTF8  },
        {"DSN",        SMTP_HAS_DSN       },
        {"STARTTLS",   SMTP_HAS_STARTTLS  },
        {"CHUNKING",   SMTP_HAS_CHUNKING  },
        {"BINARYMIME", SMTP_HAS_BINARYMIME},
    };
    struct str keyword, args;

    (void)str_cut(str_trim(line), ' ', &keyword, &args);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq_nocase(keyword, str_from(known[i].keyword)))
            m->extensions |= known[i].bit;
    if (str_eq_nocase(keyword, STR("SIZE")))
        (void)str_to_u64(str_trim(args), &m->size_limit);
    if (str_eq_nocase(keyword, STR("LIMITS")))
        take_limits(m, args);

    // Some servers still write "AUTH=PLAIN", from a draft of RFC 2554.
    if (!str_eq_nocase(keyword, STR("AUTH"))) {
        if (!str_skip_nocase(&line, STR("AUTH=")))
            return;
        args = line;
    }
    while (args.n > 0) {
        struct str name;
        (void)str_cut(args, ' ', &name, &args);
        if (str_eq_nocase(name, STR("PLAIN")))
            m->extensions |= SMTP_HAS_AUTH_PLAIN;
        else if (str_eq_nocase(name, STR("LOGIN")))
            m->extensions |= SMTP_HAS_AUTH_LOGIN;
    }
}

/* AUTH PLAIN with its initial response      RFC 4616, RFC 4954 4 */
static void
say_auth_plain(struct smtp_client *m)
{
    struct buf secret = {0};

    buf_add_char(&secret, '\0');
    buf_add(&secret, m->options.user);
    buf_add_char(&secret, '\0');
    buf_add(&secret, m->options.password);
    buf_add(&m->out, STR("AUTH PLAIN "));
    base64_encode(&m->out, buf_str(&secret));
    buf_add(&m->out, STR("\r\n"));
    buf_wipe(&secret);
    m->state = SMTP_CLIENT_AUTH_PLAIN;
}

/* The peer's capabilities are known: what comes before the first message? */
static void
choose_next(struct smtp_client *m)
{
    const struct smtp_client_options *o = &m->options;

    if (!m->tls && o->tls != SMTP_TLS_NEVER &&
        (m->extensions & SMTP_HAS_STARTTLS)) {
        buf_add(&m->out, STR("STARTTLS\r\n"));
        m->state = SMTP_CLIENT_STARTTLS;
    } else if (!m->tls && (o->tls == SMTP_TLS_MUST || o->user.n > 0)) {
        client_fail(m, client_judge(m, OUTCOME_LATER, (struct status){4, 7, 4},
                                    "tls-trouble",
                                    STR("TLS is required, but the host does "
                                        "not offer STARTTLS"),
                                    "EHLO"));
    } else if (o->user.n == 0) {
        m->state = SMTP_CLIENT_IDLE;
        m->tell_ready = true;
    } else if (m->extensions & SMTP_HAS_AUTH_PLAIN) {
        say_auth_plain(m);
    } else if (m->extensions & SMTP_HAS_AUTH_LOGIN) {
        buf_add(&m->out, STR("AUTH LOGIN\r\n"));
        m->state = SMTP_CLIENT_AUTH_LOGIN;
    } else {
        client_fail(m, client_judge(m, OUTCOME_LATER, (struct status){4, 7, 4},
                                    "smarthost-login",
                                    STR("a login is configured, but the host "
                                        "offers neither AUTH PLAIN nor AUTH "
                                        "LOGIN"),
                                    "EHLO"));
    }
}

void
client_on_ehlo(struct smtp_client *m, bool more)
{
    struct str rest = smtp_reply_text(&m->reply), line;
    bool next;

    (void)more;
    if (client_class(m) == 5) {
        buf_addf(&m->out, "HELO %.*s\r\n", STR_ARG(m->options.helo));
        m->state = SMTP_CLIENT_HELO;
        return;
    }
    if (client_class(m) != 2) {
        fail_by_reply(m);
        return;
    }
    // The first line is the peer's name, not a keyword.
    next = str_cut(rest, '\n', &line, &rest);
    while (next) {
        next = str_cut(rest, '\n', &line, &rest);
        take_extension(m, str_from_pos(line, 4));
    }
    choose_next(m);
}

void
client_on_helo(struct smtp_client *m, bool more)
{
    (void)more;
    if (client_class(m) == 2)
        choose_next(m);
    else
        fail_by_reply(m);
}

void
client_on_starttls(struct smtp_client *m, bool more)
{
    if (client_class(m) == 2 && !more) {
        m->state = SMTP_CLIENT_HANDSHAKE;
        m->tell_tls = true;
    } else if (client_class(m) < 4) {
        // Octets in clear behind the reply: somebody in between speaks.
        client_confused(m);
    } else if (m->options.tls == SMTP_TLS_MUST || m->reply.code == 421) {
        defer_by_reply(m, "tls-trouble");
    } else {
        m->extensions &= ~(unsigned)SMTP_HAS_STARTTLS;
        choose_next(m);
    }
}

void
smtp_client_tls_started(struct smtp_client *m, struct instant now)
{
    if (m->state != SMTP_CLIENT_HANDSHAKE)
        return;
    m->tls = true;
    m->since_ms = now.mono_ms;
    // RFC 3207 4.2: what was said in clear is forgotten.
    client_say_ehlo(m);
}

void
client_on_auth(struct smtp_client *m, bool more)
{
    (void)more;
    if (client_class(m) == 2 && (m->state == SMTP_CLIENT_AUTH_PLAIN ||
                                 m->state == SMTP_CLIENT_AUTH_PASSWORD)) {
        m->state = SMTP_CLIENT_IDLE;
        m->tell_ready = true;
    } else if (client_class(m) == 3 && m->state == SMTP_CLIENT_AUTH_LOGIN) {
        base64_encode(&m->out, m->options.user);
        buf_add(&m->out, STR("\r\n"));
        m->state = SMTP_CLIENT_AUTH_USER;
    } else if (client_class(m) == 3 && m->state == SMTP_CLIENT_AUTH_USER) {
        base64_encode(&m->out, m->options.password);
        buf_add(&m->out, STR("\r\n"));
        m->state = SMTP_CLIENT_AUTH_PASSWORD;
    } else if (client_class(m) >= 4) {
        defer_by_reply(m, "smarthost-login");
    } else {
        client_confused(m);
    }
}
