/* SPDX-License-Identifier: ISC */
#include "cli/submit.h"

#include "os/conn.h"
#include "os/net.h"
#include "proto/smtp/client.h"

enum {
    COMMAND_TIMEOUT_MS = 5 * 60 * 1000, /* RFC 5321, 4.5.3.2 */
    DATA_TIMEOUT_MS = 10 * 60 * 1000
};

struct submission {
    struct loop *loop;
    struct conn *conn;
    struct timer *timer;
    struct smtp_client smtp;
    const struct envelope *envelope;
    struct str content;
    struct arena *arena;
    struct verdict *verdicts;
    bool judged;
};

static void
keep_verdicts(struct submission *s)
{
    for (size_t i = 0; i < s->envelope->n_rcpts; i++)
        s->verdicts[i] = verdict_dup(s->arena, &s->smtp.verdicts[i]);
    s->judged = true;
}

/* The server would not hear of any message: that is everybody's verdict. */
static void
keep_failure(struct submission *s)
{
    if (s->judged)
        return;
    for (size_t i = 0; i < s->envelope->n_rcpts; i++)
        s->verdicts[i] = verdict_dup(s->arena, &s->smtp.failed);
    s->judged = s->smtp.failed.outcome != OUTCOME_NONE;
}

static void
react(struct submission *s, enum smtp_client_event event, struct instant now)
{
    switch (event) {
    case SMTP_CLIENT_READY:
        if (s->judged)
            smtp_client_quit(&s->smtp, now);
        else
            smtp_client_begin(&s->smtp, now, s->envelope, s->content.n, true);
        break;
    case SMTP_CLIENT_CONTENT:
        smtp_client_content(&s->smtp, s->content);
        smtp_client_content_end(&s->smtp, now);
        break;
    case SMTP_CLIENT_DONE:
        keep_verdicts(s);
        break;
    case SMTP_CLIENT_CLOSE:
        keep_failure(s);
        loop_stop(s->loop);
        break;
    case SMTP_CLIENT_NEED_INPUT:
    case SMTP_CLIENT_START_TLS:
    default:
        break;
    }
}

static bool
is_gone(const struct submission *s)
{
    enum conn_state state = conn_state(s->conn);
    return state == CONN_EOF || state == CONN_FAILED;
}

/* Understand, react, write, until nothing moves. */
static void
step(struct submission *s)
{
    struct instant now = loop_now(s->loop);
    enum smtp_client_event event = SMTP_CLIENT_NEED_INPUT;

    while (event != SMTP_CLIENT_CLOSE) {
        size_t used =
            smtp_client_feed(&s->smtp, now, conn_input(s->conn), &event);
        conn_consume(s->conn, used);
        react(s, event, now);
        struct str out = smtp_client_output(&s->smtp);
        size_t n = out.n;
        conn_write(s->conn, out);
        smtp_client_sent(&s->smtp, now, n);
        if (used > 0 || n > 0 || event != SMTP_CLIENT_NEED_INPUT)
            continue;
        if (!is_gone(s))
            break;
        smtp_client_lost(&s->smtp, (struct status){4, 4, 2}, "timeout",
                         STR("the server closed the connection"));
    }
    timer_set(s->timer, smtp_client_deadline(&s->smtp));
}

static void
on_step(void *ctx)
{
    step(ctx);
}

static void
on_deadline(void *ctx)
{
    struct submission *s = ctx;
    smtp_client_timed_out(&s->smtp);
    step(s);
}

bool
submit(const char *socket, struct str helo, const struct envelope *e,
       struct str content, struct arena *arena, struct verdict *verdicts,
       struct err *err)
{
    const struct smtp_client_options options = {
        .helo = helo,
        .tls = SMTP_TLS_NEVER,
        .command_timeout_ms = COMMAND_TIMEOUT_MS,
        .data_timeout_ms = DATA_TIMEOUT_MS,
    };
    struct submission s = {.envelope = e,
                           .content = content,
                           .arena = arena,
                           .verdicts = verdicts};
    int fd = net_connect_unix(socket, err);

    if (fd < 0)
        return false;
    s.loop = loop_new();
    s.timer = timer_new(s.loop, on_deadline, &s);
    smtp_client_init(&s.smtp, &options, loop_now(s.loop));
    s.conn = conn_new(s.loop, fd, on_step, &s);
    loop_run(s.loop);
    conn_free(s.conn);
    timer_free(s.timer);
    loop_free(s.loop);
    smtp_client_fini(&s.smtp);
    return s.judged || err_set(err, "the server said nothing");
}
