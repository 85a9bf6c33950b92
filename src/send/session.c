/* SPDX-License-Identifier: ISC */
#include "send/session.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "os/conn.h"
#include "os/disk.h"
#include "os/log.h"
#include "os/net.h"
#include "proto/smtp/client.h"

enum {
    IN_FLIGHT = 128 << 10,   /* octets the kernel has not taken: wait */
    TURN_BUDGET = 512 << 10, /* octets of content in one turn of the loop */
    BAD_MS = 60 * 1000,      /* a target that does not answer is left alone */
    ENOUGH_MS = 10 * 1000,   /* one that takes no more connections, too */
};

struct session {
    struct session *prev, *next; /* of the destination */
    struct session *next_idle;
    struct destination *destination;
    struct path *path;
    size_t target;
    bool tried;         /* it was: look for the next */
    bool desperate;     /* all targets are bad: try them all the same */
    struct arena arena; /* the words of `why` */
    struct verdict why; /* what the targets said so far */

    struct conn *conn; /* NULL: a target is to be tried */
    struct timer *timer;
    struct smtp_client smtp;
    struct delivery *delivery;
    int64_t connect_until_ms, idle_until_ms;
    uint32_t messages; /* done over this connection */
    bool talking;      /* connected: smtp is in use */
    bool ready;        /* has been: the target is good */
    bool idle;         /* in the destination's list */
};

static void step(struct session *s);

static struct sender *
sender_of(const struct session *s)
{
    return s->destination->sender;
}

static const struct conf *
conf_of(const struct session *s)
{
    return sender_of(s)->room->conf;
}

static struct instant
now_of(const struct session *s)
{
    return loop_now(sender_of(s)->room->loop);
}

static struct route_target *
target_of(const struct session *s)
{
    return &s->path->route.targets[s->target];
}

/* The smarthost that wants a password. */
static bool
is_secret(const struct session *s)
{
    return s->path->route.smarthost && conf_of(s)->relay.smarthost_user.n > 0;
}

/* From the loop, as soon as it comes round. */
static void
step_soon(struct session *s)
{
    timer_set(s->timer, now_of(s).mono_ms);
}

/* ---- its place at the destination ---------------------------------------- */

static void
leave_idle(struct session *s)
{
    struct session **at = &s->destination->idle;

    if (!s->idle)
        return;
    while (*at != s)
        at = &(*at)->next_idle;
    *at = s->next_idle;
    s->idle = false;
}

static void
enter_idle(struct session *s)
{
    s->next_idle = s->destination->idle;
    s->destination->idle = s;
    s->idle = true;
    s->idle_until_ms = now_of(s).mono_ms + conf_of(s)->send.idle_timeout_ms;
}

static void
hang_up(struct session *s)
{
    if (s->talking)
        smtp_client_fini(&s->smtp);
    conn_free(s->conn);
    s->conn = NULL;
    s->talking = false;
    s->messages = 0;
}

/* s is gone, and perhaps its destination. */
static void
end(struct session *s)
{
    struct destination *d = s->destination;

    leave_idle(s);
    hang_up(s);
    if (s->ready)
        s->path->open[s->target]--;
    else
        d->n_opening--;
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        d->sessions = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    d->n_sessions--;
    timer_free(s->timer);
    path_release(s->path);
    arena_fini(&s->arena);
    free(s);
    destination_pump(d);
}

/* ---- finding a target ---------------------------------------------------- */

/* The words that count are those of a target that may do later: as long as
 * there is one, nothing is final. */
static void
remember(struct session *s, const struct verdict *v)
{
    if (s->why.outcome == OUTCOME_NONE || v->outcome == OUTCOME_LATER ||
        s->why.outcome == OUTCOME_REFUSED)
        s->why = verdict_dup(&s->arena, v);
}

/* This target failed before it took a message. The next one is tried from the
 * loop. */
static void
fail_target(struct session *s, const struct verdict *v)
{
    struct route_target *t = target_of(s);

    log_event(LOG_INFO, "connect-failed",
              LOG_S("destination", s->destination->name),
              LOG_S("remote", t->remote), LOG_S("command", v->command),
              LOG_S("text", v->text), LOG_END);
    if (s->path->open[s->target] > 0) {
        // Others are being served there: it wants no more of us at a time, and
        // that is no reason to bother a worse host.
        s->destination->open_after_ms = now_of(s).mono_ms + ENOUGH_MS;
        end(s);
        return;
    }
    remember(s, v);
    t->bad_until_ms = now_of(s).mono_ms + BAD_MS;
    s->tried = true;
    hang_up(s);
    step_soon(s);
}

static void
fail_connect(struct session *s, const char *error)
{
    struct str remote = target_of(s)->remote, what = str_from(error);
    struct verdict v = {
        .outcome = OUTCOME_LATER,
        .status = {4, 4, 1},
        .reason = STR("no-connection"),
        .remote = remote,
        .command = STR("connect")
    };

    (void)str_skip(&what, STR("connect to the peer: "));
    v.text = arena_printf(&s->arena, "connect to %.*s: %.*s", STR_ARG(remote),
                          STR_ARG(what));
    fail_target(s, &v);
}

static bool
next_target(struct session *s)
{
    const struct route *r = &s->path->route;
    int64_t now = now_of(s).mono_ms;

    if (s->tried)
        s->target++;
    s->tried = false;
    while (s->target < r->n_targets && !s->desperate &&
           r->targets[s->target].bad_until_ms > now)
        s->target++;
    return s->target < r->n_targets;
}

/* Nobody takes it. Those sessions that are open go on with what waits; without
 * any, it is the verdict for all of it. */
static void
give_up(struct session *s)
{
    static const struct verdict unreachable = {
        .outcome = OUTCOME_LATER,
        .status = {4, 4,                                           1},
        .reason = {"no-connection", 13                             },
        .text = {"no host of this destination can be reached", 42},
        .command = {"connect", 7                                                                }
    };

    s->target = 0;
    if (s->destination->n_sessions == 1)
        destination_give_up(s->destination, s->why.outcome == OUTCOME_NONE
                                                ? &unreachable
                                                : &s->why);
    else
        s->destination->open_after_ms = now_of(s).mono_ms + ENOUGH_MS;
    end(s);
}

static void
on_step(void *ctx)
{
    step(ctx);
}

static void
connect_next(struct session *s)
{
    struct net_address to;
    struct err e;
    int fd = -1;

    if (!next_target(s)) {
        give_up(s);
        return;
    }
    if (net_parse(target_of(s)->address, s->path->route.port, &to))
        fd = net_connect(&to, &e);
    else
        (void)err_set(&e, "%.*s is no address", STR_ARG(target_of(s)->address));
    if (fd < 0) {
        fail_connect(s, e.text);
        return;
    }
    s->conn = conn_new(sender_of(s)->room->loop, fd, on_step, s);
    s->connect_until_ms =
        now_of(s).mono_ms + conf_of(s)->send.connect_timeout_ms;
    timer_set(s->timer, s->connect_until_ms);
}

static void
start_talking(struct session *s)
{
    const struct conf *conf = conf_of(s);
    struct smtp_client_options o = {
        .helo = conf->send.helo,
        .remote = target_of(s)->remote,
        .tls = target_of(s)->no_tls ? SMTP_TLS_NEVER : SMTP_TLS_MAY,
        .command_timeout_ms = conf->send.command_timeout_ms,
        .data_timeout_ms = conf->send.data_timeout_ms};

    if (is_secret(s)) {
        o.tls = SMTP_TLS_MUST;
        o.user = conf->relay.smarthost_user;
        o.password = sender_of(s)->password;
    }
    smtp_client_init(&s->smtp, &o, now_of(s));
    s->talking = true;
}

/* ---- TLS ----------------------------------------------------------------- */

static void
start_tls(struct session *s)
{
    struct tls_context *context =
        is_secret(s) ? sender_of(s)->tls_checked : sender_of(s)->tls_any;

    if (context == NULL)
        smtp_client_lost(&s->smtp, (struct status){4, 7, 5}, "tls-trouble",
                         STR("no issuers of certificates are known, so the "
                             "smarthost's cannot be checked"));
    else
        conn_start_tls(s->conn, context, target_of(s)->host);
}

/* false: the session goes another way, in clear. */
static bool
lose_tls(struct session *s, const char *error)
{
    struct arena *a = &s->arena;

    log_event(LOG_INFO, "tls-failed", LOG_S("remote", target_of(s)->remote),
              LOG_S("text", str_from(error)), LOG_END);
    if (!is_secret(s)) {
        target_of(s)->no_tls = true;
        hang_up(s);
        step_soon(s);
        return false;
    }
    smtp_client_lost(&s->smtp, (struct status){4, 7, 5}, "tls-trouble",
                     arena_printf(a, "the TLS handshake failed: %s", error));
    return true;
}

/* ---- messages ------------------------------------------------------------ */

/* false: the kernel has enough; the step comes again when it takes more. Asking
 * it is what makes sure of that: what only waits for the end of the step makes
 * no event when it has left. */
static bool
has_room(struct session *s)
{
    if (conn_unsent(s->conn) >= IN_FLIGHT)
        conn_flush(s->conn);
    return conn_unsent(s->conn) < IN_FLIGHT &&
           conn_state(s->conn) != CONN_FAILED;
}

/* What the machine has to say goes to the connection, as far as that takes it
 * without piling up. */
static void
flush(struct session *s)
{
    struct str out;

    while ((out = smtp_client_output(&s->smtp)).n > 0 && has_room(s)) {
        conn_write(s->conn, out);
        smtp_client_sent(&s->smtp, now_of(s), out.n);
    }
}

static void
next_message(struct session *s)
{
    struct jobs *jobs = sender_of(s)->jobs;
    struct delivery *x = NULL;

    if (!jobs_draining(jobs) &&
        s->messages < conf_of(s)->send.messages_per_connection &&
        (s->smtp.mail_limit == 0 || s->messages < s->smtp.mail_limit))
        while ((x = destination_take(s->destination)) != NULL &&
               !delivery_open(x, os_disk()))
            delivery_report(x, jobs);
    if (x != NULL) {
        s->delivery = x;
        smtp_client_begin(&s->smtp, now_of(s), &x->envelope, x->reader.size,
                          x->reader.needs_stuffing);
    } else if (s->destination->first != NULL || jobs_draining(jobs)) {
        smtp_client_quit(&s->smtp, now_of(s));
    } else {
        enter_idle(s);
    }
}

void
session_wake(struct session *s)
{
    leave_idle(s);
    next_message(s);
    flush(s);
    // It may have been refused without a word to the peer.
    conn_again(s->conn);
}

static void
on_ready(struct session *s)
{
    bool first = !s->ready;

    if (first) {
        const struct tls *tls = conn_tls(s->conn);
        s->ready = true;
        s->path->open[s->target]++;
        s->destination->n_opening--;
        target_of(s)->bad_until_ms = 0;
        log_event(LOG_INFO, "connected", LOG_S("remote", target_of(s)->remote),
                  LOG_S("tls", tls == NULL ? STR("none") : tls_version(tls)),
                  LOG_END);
    }
    next_message(s);
    if (first) // the host answers: it may have more of us
        destination_pump(s->destination);
}

static void
on_done(struct session *s)
{
    struct destination *d = s->destination;
    struct delivery *x = s->delivery;

    s->delivery = NULL;
    delivery_close(x);
    if (smtp_client_unanswered(&s->smtp) && s->messages > 0 && !x->again) {
        // The connection had died while it was idle: no attempt was made.
        x->again = true;
        destination_put_back(d, x);
        return;
    }
    s->messages++;
    if (delivery_settle(x, s->smtp.verdicts))
        destination_put_back(d, x);
    else
        delivery_report(x, d->sender->jobs);
}

static void
on_close(struct session *s)
{
    const struct verdict *why = &s->smtp.failed;

    if (s->ready) {
        end(s);
        return;
    }
    if (why->code == 0 && str_eq(why->command, STR("STARTTLS")) &&
        !lose_tls(s, "no answer, or none that is SMTP, to STARTTLS"))
        return;
    struct verdict v = verdict_dup(&s->arena, &s->smtp.failed);
    conn_flush(s->conn); // QUIT
    fail_target(s, &v);
}

/* Content goes out in pieces, as the peer takes them. */
static void
pump(struct session *s)
{
    size_t budget = TURN_BUDGET;
    struct str bytes;

    while (s->smtp.state == SMTP_CLIENT_BODY && has_room(s)) {
        if (budget == 0) {
            conn_again(s->conn);
            return;
        }
        if (!delivery_read(s->delivery, &bytes)) {
            smtp_client_lost(&s->smtp, (struct status){4, 3, 0},
                             "spool-trouble",
                             STR("the message cannot be read from the spool"));
            conn_again(s->conn);
            return;
        }
        if (bytes.n > 0)
            smtp_client_content(&s->smtp, bytes);
        else
            smtp_client_content_end(&s->smtp, now_of(s));
        budget -= bytes.n < budget ? bytes.n : budget;
        flush(s);
    }
}

/* ---- the conversation ---------------------------------------------------- */

/* false: s is gone, or without connection. */
static bool
handle(struct session *s, enum smtp_client_event ev)
{
    switch (ev) {
    case SMTP_CLIENT_START_TLS:
        start_tls(s);
        break;
    case SMTP_CLIENT_READY:
        on_ready(s);
        break;
    case SMTP_CLIENT_DONE:
        on_done(s);
        break;
    case SMTP_CLIENT_CLOSE:
        on_close(s);
        return false;
    case SMTP_CLIENT_CONTENT: // pump() sees to it
    case SMTP_CLIENT_NEED_INPUT:
        break;
    }
    return true;
}

/* What TLS and the network did meanwhile; false as above. */
static bool
look_at_conn(struct session *s)
{
    enum conn_state state = conn_state(s->conn);

    if (s->smtp.state != SMTP_CLIENT_HANDSHAKE)
        return true;
    if (state == CONN_OPEN)
        smtp_client_tls_started(&s->smtp, now_of(s));
    else if (state == CONN_FAILED || state == CONN_EOF)
        return lose_tls(s, conn_error(s->conn));
    return true;
}

/* All that came is understood: there will be no more. */
static bool
is_broken(const struct session *s)
{
    enum conn_state state = conn_state(s->conn);
    return state == CONN_FAILED || state == CONN_EOF;
}

static void
lose_conn(struct session *s)
{
    const char *error = conn_error(s->conn);
    smtp_client_lost(&s->smtp, (struct status){4, 4, 2}, "timeout",
                     error[0] != '\0' ? str_from(error)
                                      : STR("the peer has hung up"));
}

static void
rearm(struct session *s)
{
    int64_t deadline =
        s->idle ? s->idle_until_ms : smtp_client_deadline(&s->smtp);
    if (deadline == INT64_MAX)
        timer_clear(s->timer);
    else
        timer_set(s->timer, deadline);
}

static void
converse(struct session *s)
{
    enum smtp_client_event ev;
    size_t used;
    bool lost = false;

    if (!look_at_conn(s))
        return;
    do {
        used = smtp_client_feed(&s->smtp, now_of(s), conn_input(s->conn), &ev);
        conn_consume(s->conn, used);
        if (!handle(s, ev))
            return;
        flush(s);
        if (used == 0 && ev == SMTP_CLIENT_NEED_INPUT && !lost &&
            is_broken(s)) {
            lose_conn(s);
            lost = true;
            used = 1; // it has something to tell now
        }
    } while (used > 0 || ev != SMTP_CLIENT_NEED_INPUT);
    pump(s);
    rearm(s);
}

static void
step(struct session *s)
{
    if (s->conn == NULL) {
        connect_next(s);
        return;
    }
    if (!s->talking) {
        if (conn_state(s->conn) == CONN_CONNECTING)
            return;
        if (conn_state(s->conn) == CONN_FAILED) {
            fail_connect(s, conn_error(s->conn));
            return;
        }
        start_talking(s);
    }
    converse(s);
}

/* A deadline has passed, or step_soon() was called. */
static void
on_timer(void *ctx)
{
    struct session *s = ctx;
    int64_t now = now_of(s).mono_ms;

    if (s->conn != NULL && conn_state(s->conn) == CONN_CONNECTING) {
        if (now >= s->connect_until_ms) {
            fail_connect(s, "no answer in time");
            return;
        }
    } else if (s->idle && now >= s->idle_until_ms) {
        leave_idle(s);
        smtp_client_quit(&s->smtp, now_of(s));
    } else if (s->talking && now >= smtp_client_deadline(&s->smtp)) {
        if (s->smtp.state == SMTP_CLIENT_HANDSHAKE) {
            if (!lose_tls(s, "no answer in time"))
                return;
        } else {
            smtp_client_timed_out(&s->smtp);
        }
    }
    step(s);
}

void
session_dial(struct destination *d)
{
    struct session *s = alloc_zero(sizeof *s);
    const struct route *r = &d->path->route;
    int64_t now = loop_now(d->sender->room->loop).mono_ms;

    s->destination = d;
    s->path = d->path;
    s->path->users++;
    s->desperate = true;
    for (size_t i = 0; i < r->n_targets; i++)
        s->desperate = s->desperate && r->targets[i].bad_until_ms > now;
    s->timer = timer_new(d->sender->room->loop, on_timer, s);
    s->next = d->sessions;
    if (d->sessions != NULL)
        d->sessions->prev = s;
    d->sessions = s;
    d->n_sessions++;
    d->n_opening++;
    step_soon(s);
}
