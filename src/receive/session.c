/* SPDX-License-Identifier: ISC */
#include "receive/session.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "os/log.h"
#include "receive/ahead.h"
#include "receive/arrive.h"
#include "receive/auth.h"
#include "receive/decide.h"
#include "receive/facts.h"
#include "room/policy.h"

enum {
    UNSENT_MAX = 64 << 10, /* beyond, a client that does not read waits */
    LINGER_MS = 5000,      /* for the client to read our last words */
    HANDSHAKE_MS = 60000,
    LOGIN_MS = 30000,
    FACTS_MS = 60000,
};

/* ---- time -------------------------------------------------------------- */

static int64_t
add_patience(int64_t from, int64_t patience)
{
    return patience > INT64_MAX - from ? INT64_MAX : from + patience;
}

static int64_t
deadline(const struct session *s)
{
    if (s->lingering)
        return s->heard_ms + LINGER_MS;
    if (conn_state(s->conn) == CONN_TLS_HANDSHAKE)
        return s->heard_ms + HANDSHAKE_MS;
    switch (s->wait) {
    case WAIT_LOGIN:
        return s->heard_ms + LOGIN_MS;
    case WAIT_FACTS:
        return s->heard_ms + FACTS_MS;
    case WAIT_PACE:
    case WAIT_GREETING:
        return s->resume_ms;
    case WAIT_ROOM:
        return s->heard_ms + s->smtp.options->data_timeout_ms;
    case WAIT_STORED: // the sync ends some time, and then there is an answer
        return INT64_MAX;
    case WAIT_NOTHING:
        break;
    }
    return add_patience(s->heard_ms, smtp_server_patience(&s->smtp));
}

/* A deadline that moves away costs nothing: the timer finds out when it fires.
 * Only one that comes nearer is set anew. */
static void
arm_timer(struct session *s)
{
    int64_t at = deadline(s);
    if (at >= s->timer_ms)
        return;
    s->timer_ms = at;
    timer_set(s->timer, at);
}

static void
on_timer(void *ctx)
{
    struct session *s = ctx;
    int64_t now = loop_now(s->worker->room->loop).mono_ms;
    s->timer_ms = INT64_MAX;
    if (now < deadline(s)) {
        arm_timer(s);
        return;
    }
    if (s->lingering || conn_state(s->conn) == CONN_TLS_HANDSHAKE) {
        session_end(s);
        return;
    }
    if (s->wait == WAIT_FACTS) {
        facts_late(s);
        session_step(s);
        return;
    }
    if (s->wait == WAIT_GREETING) {
        arrive_greet(s);
        session_step(s);
        return;
    }
    if (s->wait == WAIT_LOGIN)
        auth_late(s);
    else if (s->wait == WAIT_ROOM)
        smtp_server_close(&s->smtp, STR("421 4.3.0 this server cannot store "
                                        "mail now, try again later\r\n"));
    else if (s->wait == WAIT_NOTHING)
        smtp_server_close(&s->smtp, decide_reply(s, STR("command-timeout"),
                                                 s->envelope.sender, STR_EMPTY,
                                                 STR_EMPTY));
    s->wait = WAIT_NOTHING;
    session_step(s);
}

/* ---- the end ----------------------------------------------------------- */

static void
unlink_session(struct session *s)
{
    struct worker *w = s->worker;
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        w->sessions = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    w->n_sessions--;
}

/* The struct stays while the spool owes an answer: on_stored() comes back. */
void
session_end(struct session *s)
{
    struct worker *w = s->worker;
    if (s->conn != NULL) {
        log_event(LOG_DEBUG, "disconnect", LOG_S("session", str_from(s->id)),
                  LOG_S("client", str_from(s->client)),
                  LOG_S("error", str_from(conn_error(s->conn))), LOG_END);
        conn_free(s->conn);
        timer_free(s->timer);
        login_cancel(s->question);
        facts_end(s);
        ahead_end(s);
        sasl_free(s->sasl);
        s->conn = NULL;
        s->question = NULL;
        s->sasl = NULL;
        smtp_server_fini(&s->smtp);
    }
    if (s->wait == WAIT_STORED && !s->answered)
        return;
    arrive_end(s);
    decide_forget(s);
    arena_fini(&s->arena);
    buf_fini(&s->helo);
    buf_fini(&s->user);
    unlink_session(s);
    free(s);
    worker_check(w);
}

/*
 * All is said. After QUIT nothing more can come, so hanging up loses nothing;
 * otherwise octets of the client that we did not read would make the kernel
 * throw our last reply away, so it may hang up first.
 */
static void
finish(struct session *s)
{
    conn_end_output(s->conn);
    conn_flush(s->conn);
    if (conn_state(s->conn) != CONN_OPEN ||
        (s->smtp.quit && conn_unsent(s->conn) == 0)) {
        session_end(s);
        return;
    }
    if (!s->lingering)
        s->heard_ms = loop_now(s->worker->room->loop).mono_ms;
    s->lingering = true;
    conn_want_input(s->conn, true);
    arm_timer(s);
}

/* A message that has begun to come is waited for; its step sees worker->hurry
 * when it is stored. */
static bool
owes_nothing(const struct session *s)
{
    enum smtp_state state = s->smtp.state;
    return s->conn != NULL && s->wait == WAIT_NOTHING &&
           state != SMTP_CHUNKED && state != SMTP_CHUNK && state != SMTP_DATA &&
           state != SMTP_CLOSED;
}

void
session_dismiss(struct session *s)
{
    if (!owes_nothing(s))
        return;
    smtp_server_close(&s->smtp, decide_reply(s, STR("server-stopping"),
                                             STR_EMPTY, STR_EMPTY, STR_EMPTY));
    conn_again(s->conn);
}

void
session_resume(struct session *s)
{
    if (s->wait != WAIT_ROOM)
        return;
    s->wait = WAIT_NOTHING;
    conn_again(s->conn);
}

/* ---- the step ---------------------------------------------------------- */

/* What the kernel takes at once must not stop us: only a kernel that is full
 * says later that there is room again. */
static size_t
say_output(struct session *s)
{
    struct str out = smtp_server_output(&s->smtp);
    conn_write(s->conn, out);
    smtp_server_sent(&s->smtp, out.n);
    if (conn_unsent(s->conn) >= UNSENT_MAX)
        conn_flush(s->conn);
    return out.n;
}

/* Everything between two waits: understand, decide, answer. True: the end. */
static bool
converse(struct session *s)
{
    struct smtp_event ev;
    size_t used, said;
    do {
        used = smtp_server_feed(&s->smtp, conn_input(s->conn), &ev);
        decide(s, &ev); // ev borrows from the input
        if (ev.secret)
            conn_consume_secret(s->conn, used);
        else
            conn_consume(s->conn, used);
        ahead_passed(s, used);
        said = say_output(s);
        if (used > 0)
            s->heard_ms = loop_now(s->worker->room->loop).mono_ms;
    } while (ev.type != SMTP_EVENT_CLOSE && s->wait == WAIT_NOTHING &&
             conn_unsent(s->conn) < UNSENT_MAX &&
             (used > 0 || said > 0 || ev.type != SMTP_EVENT_NONE));
    return ev.type == SMTP_EVENT_CLOSE;
}

/* RFC 3207: the 220 leaves in clear, what came behind STARTTLS is dropped. */
static void
start_tls(struct session *s)
{
    conn_consume(s->conn, conn_input(s->conn).n);
    conn_start_tls(s->conn, s->worker->tls, STR_EMPTY);
    smtp_server_tls_started(&s->smtp);
}

/*
 * Everything a client ever causes, in order: the answer that was waited for,
 * read, understand, decide, say, wait. Readiness, an answer from another
 * process and a timeout all end up here.
 */
void
session_step(struct session *s)
{
    enum conn_state state = conn_state(s->conn);
    if (state == CONN_FAILED || (s->lingering && state == CONN_EOF)) {
        session_end(s);
        return;
    }
    if (state == CONN_TLS_HANDSHAKE) {
        arm_timer(s);
        return;
    }
    if (s->wait == WAIT_GREETING && conn_input(s->conn).n > 0)
        arrive_greet(s);
    if (s->wait == WAIT_STORED && s->answered)
        decide_stored(s);
    if (s->wait == WAIT_FACTS && facts_ready(s))
        decide_facts(s);
    if (s->worker->hurry && s->wait == WAIT_NOTHING)
        session_dismiss(s);
    if (s->wait == WAIT_NOTHING && converse(s)) {
        finish(s);
        return;
    }
    ahead_step(s);
    if (s->smtp.state == SMTP_TLS)
        start_tls(s);
    if (state == CONN_EOF && s->wait == WAIT_NOTHING) {
        finish(s); // a client that only stopped talking hears the end
        return;
    }
    conn_want_input(s->conn,
                    (s->wait == WAIT_NOTHING || s->wait == WAIT_GREETING) &&
                        conn_unsent(s->conn) < UNSENT_MAX);
    arm_timer(s);
}

static void
on_step(void *ctx)
{
    session_step(ctx);
}

/* ---- the beginning ----------------------------------------------------- */

static void
link_session(struct session *s)
{
    struct worker *w = s->worker;
    s->next = w->sessions;
    if (s->next != NULL)
        s->next->prev = s;
    w->sessions = s;
    w->n_sessions++;
}

static void
identify(struct session *s, int fd, const struct net_address *peer)
{
    const struct conf_listen *conf = s->at->conf;
    s->uid = -1;
    s->who.local = conf == NULL;
    if (conf == NULL) {
        s->uid = net_peer_uid(fd);
        return;
    }
    (void)net_format(peer, s->client);
    s->who.client = str_from(s->client);
    s->who.auth_required = conf->auth_required;
    s->who.in_networks = policy_in_networks(s->worker->room->conf, peer);
}

static void
refuse_crowd(struct session *s)
{
    buf_clear(&s->smtp.out); // no greeting before it
    smtp_server_close(&s->smtp, STR("421 4.3.2 too many connections to this "
                                    "server, try again later\r\n"));
    log_event(LOG_WARNING, "crowded", LOG_S("session", str_from(s->id)),
              LOG_S("client", str_from(s->client)), LOG_END);
}

void
session_admit(struct listener *l, int fd, const struct net_address *peer)
{
    struct worker *w = l->worker;
    struct session *s = alloc_zero(sizeof *s);
    bool implicit = l->conf != NULL && l->conf->tls_implicit;

    s->worker = w;
    s->at = l;
    (void)worker_name(w, s->id);
    identify(s, fd, peer);
    link_session(s);
    smtp_server_init(&s->smtp, s->who.local ? &w->local : &w->network,
                     implicit);
    s->smtp.forgiving = s->who.local || net_is_loopback(peer);
    s->conn = conn_accepted(w->room->loop, fd, on_step, s);
    s->timer = timer_new(w->room->loop, on_timer, s);
    s->timer_ms = INT64_MAX;
    s->heard_ms = loop_now(w->room->loop).mono_ms;
    log_event(LOG_DEBUG, "connect", LOG_S("session", str_from(s->id)),
              LOG_S("client", str_from(s->client)), LOG_END);
    if (w->n_sessions > w->room->conf->receive.max_connections)
        refuse_crowd(s);
    else
        arrive_begin(s, peer);
    if (implicit)
        conn_start_tls(s->conn, w->tls, STR_EMPTY);
    if (s->wait == WAIT_NOTHING)
        (void)say_output(s);
    session_step(s);
}
