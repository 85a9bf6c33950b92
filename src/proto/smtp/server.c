/* SPDX-License-Identifier: ISC */
#include "proto/smtp/server.h"

#include <assert.h>

#include "base/ascii.h"
#include "proto/smtp/base64.h"
#include "proto/smtp/server_internal.h"

enum {
    LINE_MAX_AUTH = 12288, /* RFC 4954, 4 */
    OUT_IDLE_MAX = 512,    /* an idle session keeps no larger buffer */
    OUT_FULL = 16384,      /* say what we have before hearing more */
};

void
server_forget_kept(struct smtp_server *m)
{
    buf_wipe(&m->kept);
}

void
server_end(struct smtp_server *m)
{
    server_forget_kept(m);
    m->state = SMTP_CLOSED;
    m->asked = SMTP_EVENT_NONE;
}

static void
say(struct smtp_server *m, struct str reply)
{
    buf_add(&m->out, reply);
    if (str_starts(reply, STR("421")))
        server_end(m);
}

/* Every reply but the greeting goes through here; refusals are counted. */
void
server_say(struct smtp_server *m, struct str reply)
{
    say(m, reply);
    if (!str_starts(reply, STR("5")) || m->state == SMTP_CLOSED)
        return;
    m->errors++;
    if (m->errors >= m->options->max_errors) {
        buf_add(&m->out, STR("421 4.7.0 too many errors, goodbye\r\n"));
        server_end(m);
    }
}

void
server_say_innocent(struct smtp_server *m, struct str reply)
{
    say(m, reply);
}

void
server_ask(struct smtp_server *m, enum smtp_event_type type,
           struct smtp_event *ev)
{
    ev->type = type;
    m->asked = type;
}

bool
server_leave(struct smtp_server *m)
{
    bool was = m->state > SMTP_READY && m->state <= SMTP_DATA;
    if (was)
        m->state = SMTP_READY;
    return was;
}

void
server_waste_chunk(struct smtp_server *m, struct str reply,
                   enum smtp_state back, bool innocent)
{
    buf_clear(&m->kept);
    buf_add(&m->kept, reply);
    m->chunk_waste = true;
    m->chunk_innocent = innocent;
    m->back = back;
    m->state = SMTP_CHUNK;
}

void
server_end_foreign(struct smtp_server *m, struct str reply)
{
    buf_add(&m->out, reply);
    server_end(m);
}

/* ---- lines ------------------------------------------------------------- */

bool
server_has_control(struct str line)
{
    for (size_t i = 0; i < line.n; i++)
        if (ascii_is_control((unsigned char)line.p[i]))
            return true;
    return false;
}

bool
server_cut_end(struct str *line)
{
    bool proper = line->n >= 2 && line->p[line->n - 2] == '\r';
    line->n -= proper ? 2 : 1;
    // RFC 5321, 4.1.1: white space before the end is tolerated.
    while (line->n > 0 && ascii_is_blank((unsigned char)line->p[line->n - 1]))
        line->n--;
    return proper;
}

/* line: up to and with its LF. */
static void
run_line(struct smtp_server *m, struct str line, struct smtp_event *ev)
{
    bool proper = server_cut_end(&line);
    bool auth = m->state == SMTP_AUTH;
    if (!proper || server_has_control(line)) {
        if (auth)
            ev->type = SMTP_EVENT_AUTH_END;
        m->state = auth ? SMTP_READY : m->state;
        server_say(
            m, proper ? STR("500 5.5.2 a command has no control characters"
                            "\r\n")
                      : STR("500 5.5.2 a command ends with CR LF, this line "
                            "ended with LF alone\r\n"));
        return;
    }
    if (auth)
        command_auth_response(m, line, ev);
    else
        command_run(m, line, ev);
}

static bool
is_login(const struct smtp_server *m, struct str line)
{
    return m->state == SMTP_AUTH || str_starts_nocase(line, STR("AUTH "));
}

static void
refuse_overlong(struct smtp_server *m, struct smtp_event *ev)
{
    if (m->state == SMTP_AUTH) {
        m->state = SMTP_READY;
        ev->type = SMTP_EVENT_AUTH_END;
        server_say(m, STR("500 5.5.6 the response is too long\r\n"));
    } else {
        server_say(m, STR("500 5.5.2 the line is too long\r\n"));
    }
}

static size_t
feed_line(struct smtp_server *m, struct str input, struct smtp_event *ev)
{
    // 22 opens a TLS record and no command there is.
    if (!m->overlong && input.p[0] == 0x16) {
        server_end_foreign(m, STR("554 5.5.1 this port begins in clear, use "
                                  "STARTTLS for TLS\r\n"));
        return input.n;
    }
    ssize_t lf = str_find_char(input, '\n');
    size_t n = lf < 0 ? input.n : (size_t)lf + 1;
    bool rest = m->overlong, login = !rest && is_login(m, input);
    size_t limit = login ? LINE_MAX_AUTH : SERVER_LINE_MAX;
    bool too_long = !rest && n > limit;
    ev->secret = ev->secret || login || rest;
    if (rest || too_long)
        m->overlong = lf < 0;
    if (too_long)
        refuse_overlong(m, ev);
    if (rest || too_long)
        return n;
    if (lf < 0)
        return 0;
    run_line(m, str_first(input, n), ev);
    return n;
}

/* ---- the driver's side ------------------------------------------------- */

void
smtp_server_init(struct smtp_server *m,
                 const struct smtp_server_options *options, bool tls)
{
    *m = (struct smtp_server){.options = options, .tls = tls};
    buf_addf(&m->out, "220 %.*s ESMTP Gatepost\r\n",
             STR_ARG(options->hostname));
}

void
smtp_server_fini(struct smtp_server *m)
{
    server_forget_kept(m);
    buf_fini(&m->out);
}

/* One line, one piece of content; *in becomes the rest. false: no way on. */
static bool
step(struct smtp_server *m, struct str *in, struct smtp_event *ev)
{
    size_t used = in->n;
    switch (m->state) {
    case SMTP_CLOSED:
        ev->type = SMTP_EVENT_CLOSE;
        break;
    case SMTP_TLS: // RFC 3207: nothing said in clear may count behind it
        break;
    case SMTP_CHUNK:
        if (m->chunk == 0) {
            server_content_end_chunk(m, ev);
            return true;
        }
        used = in->n == 0 ? 0 : server_content_feed_chunk(m, *in, ev);
        break;
    case SMTP_DATA:
        used = in->n == 0 ? 0 : server_content_feed_data(m, *in, ev);
        break;
    case SMTP_START:
    case SMTP_READY:
    case SMTP_MAIL:
    case SMTP_RCPT:
    case SMTP_CHUNKED:
    case SMTP_AUTH:
        used = in->n == 0 ? 0 : feed_line(m, *in, ev);
        break;
    }
    *in = str_from_pos(*in, used);
    return used > 0;
}

size_t
smtp_server_feed(struct smtp_server *m, struct str input,
                 struct smtp_event *event)
{
    struct str rest = input;
    *event = (struct smtp_event){0};
    while (m->asked == SMTP_EVENT_NONE && event->type == SMTP_EVENT_NONE &&
           m->out.n < OUT_FULL && step(m, &rest, event))
        continue;
    return input.n - rest.n;
}

/* RFC 9422: what one message may have; a number has six digits there. */
static void
say_limits(struct smtp_server *m)
{
    uint32_t n = m->options->max_recipients;
    if (n > 0 && n <= 999999)
        buf_addf(&m->out, "250-LIMITS RCPTMAX=%u\r\n", n);
}

static void
say_hello(struct smtp_server *m)
{
    const struct smtp_server_options *o = m->options;
    if (!m->esmtp) {
        buf_addf(&m->out, "250 %.*s\r\n", STR_ARG(o->hostname));
        return;
    }
    buf_addf(&m->out,
             "250-%.*s\r\n250-PIPELINING\r\n250-SIZE %llu\r\n"
             "250-8BITMIME\r\n250-SMTPUTF8\r\n"
             "250-ENHANCEDSTATUSCODES\r\n",
             STR_ARG(o->hostname), (unsigned long long)o->max_size);
    if (o->starttls && !m->tls)
        buf_add(&m->out, STR("250-STARTTLS\r\n"));
    if (o->mechanisms.n > 0 && m->tls && !m->logged_in)
        buf_addf(&m->out, "250-AUTH %.*s\r\n", STR_ARG(o->mechanisms));
    say_limits(m);
    buf_add(&m->out, STR("250-CHUNKING\r\n250-BINARYMIME\r\n250 DSN\r\n"));
}

static void
accept_login(struct smtp_server *m)
{
    server_forget_kept(m);
    m->logged_in = true;
    m->state = SMTP_READY;
    server_say(m, STR("235 2.7.0 logged in\r\n"));
}

void
smtp_server_accept(struct smtp_server *m, struct str detail)
{
    enum smtp_event_type asked = m->asked;
    assert(asked != SMTP_EVENT_NONE);
    m->asked = SMTP_EVENT_NONE;
    switch (asked) {
    case SMTP_EVENT_HELLO:
        m->state = SMTP_READY;
        m->spurned = false;
        say_hello(m);
        break;
    case SMTP_EVENT_STARTTLS:
        m->state = SMTP_TLS;
        server_say(m, STR("220 2.0.0 ready for TLS\r\n"));
        break;
    case SMTP_EVENT_AUTH:
    case SMTP_EVENT_AUTH_RESPONSE:
        accept_login(m);
        break;
    case SMTP_EVENT_SENDER:
        m->state = SMTP_MAIL;
        m->had_rcpt = m->spurned = false;
        server_say(m, STR("250 2.1.0 ok\r\n"));
        break;
    case SMTP_EVENT_RECIPIENT:
        m->state = SMTP_RCPT;
        server_say(m, STR("250 2.1.5 ok\r\n"));
        break;
    case SMTP_EVENT_CONTENT:
        server_content_begin(m);
        break;
    case SMTP_EVENT_END:
        server_content_accept(m, detail);
        break;
    case SMTP_EVENT_NONE:
    case SMTP_EVENT_AUTH_END:
    case SMTP_EVENT_RESET:
    case SMTP_EVENT_BODY:
    case SMTP_EVENT_CLOSE:
        break;
    }
}

void
smtp_server_refuse(struct smtp_server *m, struct str reply)
{
    enum smtp_event_type asked = m->asked;
    assert(asked != SMTP_EVENT_NONE);
    m->asked = SMTP_EVENT_NONE;
    if (asked == SMTP_EVENT_AUTH || asked == SMTP_EVENT_AUTH_RESPONSE) {
        server_forget_kept(m);
        m->state = SMTP_READY;
    } else if (asked == SMTP_EVENT_HELLO || asked == SMTP_EVENT_END) {
        (void)server_leave(m);
    } else if (asked == SMTP_EVENT_CONTENT && m->chunked &&
               !str_starts(reply, STR("421"))) {
        server_waste_chunk(m, reply, SMTP_READY, m->forgiving);
        return;
    } else if (asked == SMTP_EVENT_SENDER || asked == SMTP_EVENT_RECIPIENT) {
        m->spurned = true;
    }
    if (m->forgiving)
        say(m, reply);
    else
        server_say(m, reply);
}

void
smtp_server_challenge(struct smtp_server *m, struct str bytes)
{
    assert(m->asked == SMTP_EVENT_AUTH || m->asked == SMTP_EVENT_AUTH_RESPONSE);
    m->asked = SMTP_EVENT_NONE;
    server_forget_kept(m);
    m->state = SMTP_AUTH;
    buf_add(&m->out, STR("334 "));
    base64_encode(&m->out, bytes);
    buf_add(&m->out, STR("\r\n"));
}

void
smtp_server_tls_started(struct smtp_server *m)
{
    assert(m->state == SMTP_TLS);
    m->state = SMTP_START;
    m->tls = true;
}

void
smtp_server_close(struct smtp_server *m, struct str reply)
{
    if (m->state == SMTP_CLOSED)
        return;
    buf_add(&m->out, reply);
    server_end(m);
}

int64_t
smtp_server_patience(const struct smtp_server *m)
{
    if (m->asked != SMTP_EVENT_NONE)
        return INT64_MAX;
    return m->state == SMTP_DATA || m->state == SMTP_CHUNK
               ? m->options->data_timeout_ms
               : m->options->command_timeout_ms;
}

struct str
smtp_server_output(const struct smtp_server *m)
{
    return buf_str(&m->out);
}

void
smtp_server_sent(struct smtp_server *m, size_t n)
{
    buf_consume(&m->out, n);
    if (m->out.n == 0 && m->out.cap > OUT_IDLE_MAX)
        buf_fini(&m->out);
}
