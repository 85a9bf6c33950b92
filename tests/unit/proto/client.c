/* SPDX-License-Identifier: ISC */
/*
 * Dialogues of the SMTP client: lines of the server go in as "S:", what the
 * client says must be exactly the "C:" lines, and the verdicts come out as one
 * line of text. Each dialogue runs with the server's octets in one piece and
 * one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/smtp/client.h"

#define HELLO "S:220 mx\nC:EHLO me.example\n"
#define HELLO_PIPE HELLO "S:250-mx\nS:250 PIPELINING\n"

static const char *const outcomes[] = {"none", "delivered", "relayed", "later",
                                       "refused"};

struct message {
    const char *sender, *rcpts[4], *content;
    unsigned notify;
    const char *orcpt, *envid;
    enum dsn_ret ret;
    enum body_type body;
    bool smtputf8, stuffing;
};

struct dialogue {
    const char *name;
    struct message messages[2];
    enum smtp_client_tls tls;
    const char *user, *password;
    const char *script, *want;
};

static const struct message plain = {.sender = "a@x.example",
                                     .rcpts = {"b@y.example"},
                                     .content = "Subject: hi\r\n\r\nhello\r\n"};

struct run {
    struct smtp_client m;
    struct buf said, result;
    const struct dialogue *d;
    size_t message;
    struct envelope e;
    struct recipient rcpts[4];
    struct instant now;
};

static void
note(struct buf *to, const struct verdict *v)
{
    char status[16];
    (void)status_format(v->status, status);
    buf_addf(to, "%s%s %u %s %.*s", to->n > 0 ? "; " : "", outcomes[v->outcome],
             v->code, status, STR_ARG(v->command));
}

static void
begin_next(struct run *r)
{
    const struct message *x = &r->d->messages[r->message];

    if (r->message == 2 || x->sender == NULL) {
        smtp_client_quit(&r->m, r->now);
        return;
    }
    r->e = (struct envelope){.sender = str_from(x->sender),
                             .envid = str_from(x->envid),
                             .ret = x->ret,
                             .body = x->body,
                             .smtputf8 = x->smtputf8,
                             .rcpts = r->rcpts};
    while (r->e.n_rcpts < 4 && x->rcpts[r->e.n_rcpts] != NULL) {
        r->rcpts[r->e.n_rcpts] =
            (struct recipient){.address = str_from(x->rcpts[r->e.n_rcpts]),
                               .orcpt = str_from(x->orcpt),
                               .notify = x->notify};
        r->e.n_rcpts++;
    }
    smtp_client_begin(&r->m, r->now, &r->e, strlen(x->content), x->stuffing);
}

static void
on_event(struct run *r, enum smtp_client_event ev)
{
    const struct message *x = &r->d->messages[r->message];

    if (ev == SMTP_CLIENT_START_TLS) {
        buf_add(&r->said, STR("(TLS)\r\n"));
        smtp_client_tls_started(&r->m, r->now);
    } else if (ev == SMTP_CLIENT_READY) {
        begin_next(r);
    } else if (ev == SMTP_CLIENT_CONTENT) {
        for (const char *p = x->content; *p != '\0'; p++)
            smtp_client_content(&r->m, str_from_n(p, 1));
        smtp_client_content_end(&r->m, r->now);
    } else if (ev == SMTP_CLIENT_DONE) {
        for (size_t i = 0; i < r->m.n_verdicts; i++)
            note(&r->result, &r->m.verdicts[i]);
        if (smtp_client_unanswered(&r->m))
            buf_add(&r->result, STR("; again"));
        r->message++;
    }
}

/* Feeds all of it; what the client says is drained after each piece. */
static void
feed(struct run *r, struct str input, size_t step)
{
    enum smtp_client_event ev;
    size_t used;

    do {
        used = smtp_client_feed(&r->m, r->now, str_first(input, step), &ev);
        input = str_from_pos(input, used);
        on_event(r, ev);
        buf_add(&r->said, smtp_client_output(&r->m));
        smtp_client_sent(&r->m, r->now, smtp_client_output(&r->m).n);
    } while (used > 0 ||
             (ev != SMTP_CLIENT_NEED_INPUT && ev != SMTP_CLIENT_CLOSE));
}

static void
expect_line(struct run *r, struct str want)
{
    struct str said = buf_str(&r->said);
    ssize_t end = str_find(said, STR("\r\n"));

    if (end < 0 || !str_eq(str_first(said, (size_t)end), want))
        fail_msg("%s: wanted \"%.*s\", said \"%.*s\"", r->d->name,
                 STR_ARG(want), STR_ARG(said));
    buf_consume(&r->said, (size_t)end + 2);
}

static void
play(const struct dialogue *d, size_t step)
{
    struct run r = {.d = d};
    struct buf server = {0};
    struct str script = str_from(d->script), line;
    bool more = true;

    smtp_client_init(
        &r.m,
        &(struct smtp_client_options){.helo = STR("me.example"),
                                      .remote = STR("mx [192.0.2.1]:25"),
                                      .tls = d->tls,
                                      .user = str_from(d->user),
                                      .password = str_from(d->password),
                                      .command_timeout_ms = 1000,
                                      .data_timeout_ms = 2000},
        r.now);
    while (more) {
        more = str_cut(script, '\n', &line, &script);
        if (str_skip(&line, STR("S:"))) {
            buf_add(&server, line);
            buf_add(&server, STR("\r\n"));
            if (str_starts(script, STR("S:")))
                continue;
            feed(&r, buf_str(&server), step);
            buf_clear(&server);
        } else if (str_skip(&line, STR("C:"))) {
            expect_line(&r, line);
        } else if (str_eq(line, STR("LOST"))) {
            smtp_client_lost(&r.m, (struct status){4, 4, 2}, "timeout",
                             STR("gone"));
            feed(&r, STR_EMPTY, step);
        } else if (str_eq(line, STR("TIME"))) {
            smtp_client_timed_out(&r.m);
            feed(&r, STR_EMPTY, step);
        }
    }
    if (r.said.n > 0)
        fail_msg("%s: said too much: \"%s\"", d->name, buf_cstr(&r.said));
    if (r.m.failed.outcome != OUTCOME_NONE) {
        buf_add(&r.result, STR(" failed"));
        struct buf why = {0};
        note(&why, &r.m.failed);
        buf_addf(&r.result, " %s", buf_cstr(&why));
        buf_fini(&why);
    }
    if (strcmp(buf_cstr(&r.result), d->want) != 0)
        fail_msg("%s: \"%s\", wanted \"%s\"", d->name, buf_cstr(&r.result),
                 d->want);
    smtp_client_fini(&r.m);
    buf_fini(&r.said);
    buf_fini(&r.result);
    buf_fini(&server);
}

static void
play_all(const struct dialogue *d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t step = 1; step < 20000; step *= 137)
            play(&d[i], step);
}

/* The tables are aligned by hand: clang-format 14 falls over rows of several
 * lines. */
// clang-format off
static void
greetings(void **state)
{
    const struct dialogue cases[] = {
        {"not today", .script = "S:421 4.3.2 closing",
         .want = " failed later 421 4.3.2 greeting"},
        {"busy", .script = "S:450 4.3.2 busy\nC:QUIT",
         .want = " failed later 450 4.3.2 greeting"},
        {"never", .script = "S:554-no mail\nS:554 5.3.2 here\nC:QUIT",
         .want = " failed refused 554 5.3.2 greeting"},
        {"not smtp", .script = "S:SSH-2.0-OpenSSH_9",
         .want = " failed later 0 4.5.0 greeting"},
        {"lost", .script = "LOST", .want = " failed later 0 4.4.2 greeting"},
        {"silent", .script = "TIME", .want = " failed later 0 4.4.2 greeting"},
        {"only helo", .messages = {plain},
         .script = "S:220 mx\nC:EHLO me.example\nS:502 what\n"
                   "C:HELO me.example\nS:250 mx\nC:MAIL FROM:<a@x.example>\n"
                   "S:421 4.3.0 no",
         .want = "later 421 4.3.0 MAIL FROM; again failed later 421 4.3.0 "
                 "MAIL FROM"},
        {"helo refused",
         .script = HELLO "S:500 what\nC:HELO me.example\nS:550 no\nC:QUIT",
         .want = " failed refused 550  HELO"},
        {"ehlo later", .script = HELLO "S:451 4.7.0 wait\nC:QUIT",
         .want = " failed later 451 4.7.0 EHLO"},
        {"nothing to send", .script = HELLO "S:250 mx\nC:QUIT\nS:221 bye",
         .want = ""},
        {"hangs up at quit", .script = HELLO "S:250 mx\nC:QUIT\nLOST",
         .want = ""},
    };
    (void)state;
    play_all(cases, sizeof cases / sizeof *cases);
}

static void
security(void **state)
{
    const struct dialogue cases[] = {
        {"starttls", .tls = SMTP_TLS_MAY,
         .script = HELLO "S:250-mx\nS:250 starttls\nC:STARTTLS\nS:220 go\n"
                         "C:(TLS)\nC:EHLO me.example\nS:250 mx\nC:QUIT\n"
                         "S:221 bye",
         .want = ""},
        {"not asked for", .tls = SMTP_TLS_NEVER,
         .script = HELLO "S:250-mx\nS:250 STARTTLS\nC:QUIT\nS:221 bye",
         .want = ""},
        {"refused, in clear then", .tls = SMTP_TLS_MAY,
         .script = HELLO "S:250-mx\nS:250 STARTTLS\nC:STARTTLS\n"
                         "S:454 4.7.0 not now\nC:QUIT\nS:221 bye",
         .want = ""},
        {"must, not offered", .tls = SMTP_TLS_MUST,
         .script = HELLO "S:250 mx", .want = " failed later 0 4.7.4 EHLO"},
        {"must, refused", .tls = SMTP_TLS_MUST,
         .script = HELLO "S:250-mx\nS:250 STARTTLS\nC:STARTTLS\n"
                         "S:501 5.5.4 no\nC:QUIT",
         .want = " failed later 501 5.5.4 STARTTLS"},
        {"handshake fails", .tls = SMTP_TLS_MUST,
         .script = HELLO "S:250-mx\nS:250 STARTTLS\nC:STARTTLS\nLOST",
         .want = " failed later 0 4.4.2 STARTTLS"},
        {"plain", .tls = SMTP_TLS_MUST, .user = "ann", .password = "secret",
         .script = HELLO "S:250-mx\nS:250 STARTTLS\nC:STARTTLS\nS:220 go\n"
                         "C:(TLS)\nC:EHLO me.example\nS:250-mx\n"
                         "S:250 AUTH LOGIN PLAIN\n"
                         "C:AUTH PLAIN AGFubgBzZWNyZXQ=\nS:235 2.7.0 ok\n"
                         "C:QUIT\nS:221 bye",
         .want = ""},
        {"login", .tls = SMTP_TLS_MUST, .user = "anna", .password = "secre",
         .script = HELLO "S:250-mx\nS:250 STARTTLS\nC:STARTTLS\nS:220 go\n"
                         "C:(TLS)\nC:EHLO me.example\nS:250-mx\n"
                         "S:250 AUTH=LOGIN\nC:AUTH LOGIN\nS:334 VXNlcm5hbWU6\n"
                         "C:YW5uYQ==\nS:334 UGFzc3dvcmQ6\nC:c2VjcmU=\n"
                         "S:235 2.7.0 ok\nC:QUIT\nS:221 bye",
         .want = ""},
        {"wrong password: not the message's fault", .tls = SMTP_TLS_MUST,
         .user = "ann", .password = "wrong!",
         .script = HELLO "S:250-mx\nS:250 STARTTLS\nC:STARTTLS\nS:220 go\n"
                         "C:(TLS)\nC:EHLO me.example\nS:250-mx\n"
                         "S:250 AUTH PLAIN\nC:AUTH PLAIN AGFubgB3cm9uZyE=\n"
                         "S:535 5.7.8 no\nC:QUIT",
         .want = " failed later 535 5.7.8 AUTH PLAIN"},
        {"no password in clear", .tls = SMTP_TLS_MAY, .user = "ann",
         .password = "secret", .script = HELLO "S:250-mx\nS:250 AUTH PLAIN",
         .want = " failed later 0 4.7.4 EHLO"},
        {"no mechanism", .tls = SMTP_TLS_MUST, .user = "ann",
         .password = "secret",
         .script = HELLO "S:250-mx\nS:250 STARTTLS\nC:STARTTLS\nS:220 go\n"
                         "C:(TLS)\nC:EHLO me.example\nS:250-mx\n"
                         "S:250 AUTH GSSAPI",
         .want = " failed later 0 4.7.4 EHLO"},
    };
    (void)state;
    play_all(cases, sizeof cases / sizeof *cases);
}

#define THREE                                                                  \
    {.sender = "a@x.example", .rcpts = {"b@y.example", "c@y.example",          \
                                        "d@y.example"},                        \
     .content = "hi\r\n"}
#define SAY_THREE                                                              \
    "C:MAIL FROM:<a@x.example>\nC:RCPT TO:<b@y.example>\n"                     \
    "C:RCPT TO:<c@y.example>\nC:RCPT TO:<d@y.example>\nC:DATA\n"
#define SAY_ONE "C:MAIL FROM:<a@x.example>\nC:RCPT TO:<b@y.example>\nC:DATA\n"

static void
messages(void **state)
{
    const struct dialogue cases[] = {
        {"one by one", .messages = {THREE},
         .script = HELLO "S:250 mx\nC:MAIL FROM:<a@x.example>\nS:250 ok\n"
                         "C:RCPT TO:<b@y.example>\nS:250 ok\n"
                         "C:RCPT TO:<c@y.example>\nS:553 sorry, no mailbox "
                         "here by that name (#5.1.1)\n"
                         "C:RCPT TO:<d@y.example>\nS:251 ok\nC:DATA\n"
                         "S:354 go\nC:hi\nC:.\nS:250 2.0.0 kept\nC:QUIT\n"
                         "S:221 bye",
         .want = "relayed 250 2.0.0 end of data; refused 553 5.1.1 RCPT TO; "
                 "relayed 250 2.0.0 end of data"},
        {"pipelined", .messages = {THREE},
         .script = HELLO_PIPE SAY_THREE
                   "S:250 ok\nS:450 4.2.1 wait\nS:250 ok\nS:550 5.1.1 no\n"
                   "S:354 go\nC:hi\nC:.\nS:550 5.7.1 spam\nC:QUIT",
         .want = "later 450 4.2.1 RCPT TO; refused 550 5.7.1 end of data; "
                 "refused 550 5.1.1 RCPT TO"},
        {"sender refused", .messages = {THREE, plain},
         .script = HELLO_PIPE SAY_THREE
                   "S:553 5.7.1 badmailfrom\nS:503 x\nS:503 x\nS:503 x\n"
                   "S:503 x\n" SAY_ONE "S:250 ok\nS:250 ok\nS:451 4.3.0 x\n"
                   "C:QUIT",
         .want = "refused 553 5.7.1 MAIL FROM; refused 553 5.7.1 MAIL FROM; "
                 "refused 553 5.7.1 MAIL FROM; later 451 4.3.0 DATA"},
        {"all refused, then another message", .messages = {plain, plain},
         .script = HELLO_PIPE SAY_ONE
                   "S:250 ok\nS:550 5.1.1 no\nS:554 5.5.1 none\nC:RSET\n"
                   SAY_ONE "S:250 ok\nS:250 ok\nS:250 ok\nS:354 go\n"
                   "C:Subject: hi\nC:\nC:hello\nC:.\nS:250 ok\nC:QUIT",
         .want = "refused 550 5.1.1 RCPT TO; relayed 250  end of data"},
        {"all refused, one by one", .messages = {plain, plain},
         .script = HELLO "S:250 mx\nC:MAIL FROM:<a@x.example>\nS:250 ok\n"
                         "C:RCPT TO:<b@y.example>\nS:550 5.1.1 no\nC:RSET\n"
                         "S:250 ok\nC:MAIL FROM:<a@x.example>\nS:450 4.0.0 x\n"
                         "C:QUIT",
         .want = "refused 550 5.1.1 RCPT TO; later 450 4.0.0 MAIL FROM"},
        {"354 for nobody", .messages = {plain, plain},
         .script = HELLO_PIPE SAY_ONE
                   "S:250 ok\nS:550 5.1.1 no\nS:354 go on\nC:.\n"
                   "S:554 5.5.1 nobody\n" SAY_ONE
                   "S:450 4.1.8 x\nS:503 x\nS:503 x\nC:QUIT",
         .want = "refused 550 5.1.1 RCPT TO; later 450 4.1.8 MAIL FROM"},
        {"too many recipients", .messages = {THREE},
         .script = HELLO_PIPE SAY_THREE
                   "S:250 ok\nS:250 ok\nS:552 5.5.3 too many\n"
                   "S:452 4.5.3 too many\nS:354 go\nC:hi\nC:.\nS:250 ok\n"
                   "C:QUIT",
         .want = "relayed 250  end of data; later 552 5.5.3 RCPT TO; "
                 "later 452 4.5.3 RCPT TO"},
        {"dots", .messages = {{.sender = "", .rcpts = {"b@y.example"},
                               .content = ".\r\na\r\n..b\r\n.c",
                               .stuffing = true}},
         .script = HELLO_PIPE
                   "C:MAIL FROM:<>\nC:RCPT TO:<b@y.example>\nC:DATA\n"
                   "S:250 ok\nS:250 ok\nS:354 go\nC:..\nC:a\nC:...b\nC:..c\n"
                   "C:.\nS:250 ok\nC:QUIT",
         .want = "relayed 250  end of data"},
        {"parameters",
         .messages = {{.sender = "a@x.example", .rcpts = {"b@y.example"},
                       .content = "hi\r\n", .body = BODY_8BITMIME,
                       .notify = NOTIFY_FAILURE | NOTIFY_DELAY,
                       .orcpt = "rfc822;b@z.example", .envid = "Q+2B1",
                       .ret = DSN_RET_HDRS}},
         .script = HELLO "S:250-mx\nS:250-PIPELINING\nS:250-DSN\n"
                         "S:250-8bitmime\nS:250 SIZE 1000\n"
                         "C:MAIL FROM:<a@x.example> SIZE=4 BODY=8BITMIME "
                         "RET=HDRS ENVID=Q+2B1\n"
                         "C:RCPT TO:<b@y.example> NOTIFY=FAILURE,DELAY "
                         "ORCPT=rfc822;b@z.example\nC:DATA\n"
                         "S:250 ok\nS:250 ok\nS:354 go\nC:hi\nC:.\nS:250 ok\n"
                         "C:QUIT",
         .want = "relayed 250  end of data"},
        {"parameters not offered",
         .messages = {{.sender = "a@x.example", .rcpts = {"b@y.example"},
                       .content = "hi\r\n", .body = BODY_8BITMIME,
                       .notify = NOTIFY_NEVER, .orcpt = "rfc822;b@z.example",
                       .envid = "Q", .ret = DSN_RET_FULL}},
         .script = HELLO_PIPE SAY_ONE "S:250 ok\nS:250 ok\nS:354 go\nC:hi\n"
                                      "C:.\nS:250 ok\nC:QUIT",
         .want = "relayed 250  end of data"},
        {"too big", .messages = {plain},
         .script = HELLO "S:250-mx\nS:250 SIZE 10\nC:QUIT",
         .want = "refused 0 5.3.4 MAIL FROM"},
        {"utf8 not taken",
         .messages = {{.sender = "a@x.example",
                       .rcpts = {"b\xc3\xb6@y.example"},
                       .content = "hi\r\n"}},
         .script = HELLO_PIPE "C:QUIT", .want = "refused 0 5.6.7 MAIL FROM"},
        {"utf8 taken",
         .messages = {{.sender = "a@x.example", .rcpts = {"b@y.example"},
                       .content = "hi\r\n", .smtputf8 = true}},
         .script = HELLO "S:250-mx\nS:250 SMTPUTF8\n"
                         "C:MAIL FROM:<a@x.example> SMTPUTF8\n"
                         "S:550 5.6.7 no\nC:QUIT",
         .want = "refused 550 5.6.7 MAIL FROM"},
        {"binary", .messages = {{.sender = "a@x.example",
                                 .rcpts = {"b@y.example"}, .content = "\n",
                                 .body = BODY_BINARYMIME}},
         .script = HELLO_PIPE "C:QUIT", .want = "refused 0 5.6.3 MAIL FROM"},
        {"binary, and only chunks",
         .messages = {{.sender = "a@x.example", .rcpts = {"b@y.example"},
                       .content = "\n", .body = BODY_BINARYMIME}},
         .script = HELLO "S:250-mx\nS:250 CHUNKING\nC:QUIT",
         .want = "refused 0 5.6.3 MAIL FROM"},
        {"binary taken",
         .messages = {{.sender = "a@x.example", .rcpts = {"b@y.example"},
                       .content = ".a\r\n", .body = BODY_BINARYMIME,
                       .stuffing = true}},
         .script = HELLO "S:250-mx\nS:250-PIPELINING\nS:250-CHUNKING\n"
                         "S:250 BINARYMIME\n"
                         "C:MAIL FROM:<a@x.example> BODY=BINARYMIME\n"
                         "C:RCPT TO:<b@y.example>\nS:250 ok\nS:250 ok\n"
                         "C:BDAT 4 LAST\nC:.a\nS:250 ok\nC:QUIT",
         .want = "relayed 250  end of data"},
        {"binary, nobody there",
         .messages = {{.sender = "a@x.example", .rcpts = {"b@y.example"},
                       .content = "a\r\n", .body = BODY_BINARYMIME}},
         .script = HELLO "S:250-mx\nS:250-CHUNKING\nS:250 BINARYMIME\n"
                         "C:MAIL FROM:<a@x.example> BODY=BINARYMIME\nS:250 ok\n"
                         "C:RCPT TO:<b@y.example>\nS:550 5.1.1 no\nC:QUIT",
         .want = "refused 550 5.1.1 RCPT TO"},
        {"no more recipients than the peer wants", .messages = {THREE},
         .script = HELLO "S:250-mx\nS:250-PIPELINING\n"
                         "S:250 LIMITS MAILMAX=7 RCPTMAX=2 X=Y\n"
                         "C:MAIL FROM:<a@x.example>\nC:RCPT TO:<b@y.example>\n"
                         "C:RCPT TO:<c@y.example>\nC:DATA\n"
                         "S:250 ok\nS:250 ok\nS:550 5.1.1 no\nS:354 go\n"
                         "C:hi\nC:.\nS:250 ok\nC:QUIT",
         .want = "relayed 250  end of data; refused 550 5.1.1 RCPT TO; "
                 "later 0 4.5.3 RCPT TO"},
        {"an address with a command in it",
         .messages = {{.sender = "a@x.example",
                       .rcpts = {"b@y.example>\r\nRSET"}, .content = ""}},
         .script = HELLO_PIPE "C:QUIT", .want = "refused 0 5.1.3 MAIL FROM"},
        {"a blank in an address",
         .messages = {{.sender = "a@x.example", .rcpts = {"b c@y.example"},
                       .content = ""}},
         .script = HELLO_PIPE "C:QUIT", .want = "refused 0 5.1.3 MAIL FROM"},
        {"< in an address",
         .messages = {{.sender = "a@x.example", .rcpts = {"b<c@y.example"},
                       .content = ""}},
         .script = HELLO_PIPE "C:QUIT", .want = "refused 0 5.1.3 MAIL FROM"},
        {"a quote without end",
         .messages = {{.sender = "a@x.example", .rcpts = {"\"b@y.example"},
                       .content = ""}},
         .script = HELLO_PIPE "C:QUIT", .want = "refused 0 5.1.3 MAIL FROM"},
        {"a backslash at the end",
         .messages = {{.sender = "\"a\\", .rcpts = {"b@y.example"},
                       .content = ""}},
         .script = HELLO_PIPE "C:QUIT", .want = "refused 0 5.1.3 MAIL FROM"},
        {"a quoted control",
         .messages = {{.sender = "\"a\\\001\"@x.example", .rcpts = {"b@y.example"},
                       .content = ""}},
         .script = HELLO_PIPE "C:QUIT", .want = "refused 0 5.1.3 MAIL FROM"},
        {"utf8 in the sender, not taken",
         .messages = {{.sender = "\xc3\xa4@x.example", .rcpts = {"b@y.example"},
                       .content = ""}},
         .script = HELLO_PIPE "C:QUIT", .want = "refused 0 5.6.7 MAIL FROM"},
        {"parameters that cannot be said",
         .messages = {{.sender = "a@x.example", .rcpts = {"b@y.example"},
                       .content = "hi\r\n", .notify = NOTIFY_SUCCESS,
                       .orcpt = "rfc822;b c", .envid = "Q R",
                       .ret = DSN_RET_FULL}},
         .script = HELLO "S:250-mx\nS:250 DSN\n"
                         "C:MAIL FROM:<a@x.example> RET=FULL\nS:250 ok\n"
                         "C:RCPT TO:<b@y.example> NOTIFY=SUCCESS\nS:250 ok\n"
                         "C:DATA\nS:354 go\nC:hi\nC:.\nS:250 ok\nC:QUIT",
         .want = "relayed 250  end of data"},
        {"quoted addresses",
         .messages = {{.sender = "\"a b>\\\"\"@x.example",
                       .rcpts = {"b@y.example"}, .content = ""}},
         .script = HELLO "S:250 mx\n"
                         "C:MAIL FROM:<\"a b>\\\"\"@x.example>\n"
                         "S:450 4.0.0 x\nC:QUIT",
         .want = "later 450 4.0.0 MAIL FROM"},
    };
    (void)state;
    play_all(cases, sizeof cases / sizeof *cases);
}

static void
breaking_off(void **state)
{
    const struct dialogue cases[] = {
        {"before any answer: another connection may do", .messages = {plain},
         .script = HELLO_PIPE SAY_ONE "LOST",
         .want = "later 0 4.4.2 MAIL FROM; again failed later 0 4.4.2 "
                 "MAIL FROM"},
        {"between recipients", .messages = {THREE},
         .script = HELLO_PIPE SAY_THREE "S:250 ok\nS:550 5.1.1 no\nS:250 ok\n"
                                        "LOST",
         .want = "refused 550 5.1.1 RCPT TO; later 0 4.4.2 RCPT TO; "
                 "later 0 4.4.2 RCPT TO failed later 0 4.4.2 RCPT TO"},
        {"421 between recipients", .messages = {THREE},
         .script = HELLO_PIPE SAY_THREE "S:250 ok\nS:250 ok\nS:421 4.7.0 x\n"
                                        "S:354 late",
         .want = "later 421 4.7.0 RCPT TO; later 421 4.7.0 RCPT TO; "
                 "later 421 4.7.0 RCPT TO failed later 421 4.7.0 RCPT TO"},
        {"after the dot", .messages = {plain},
         .script = HELLO_PIPE SAY_ONE
                   "S:250 ok\nS:250 ok\nS:354 go\nC:Subject: hi\nC:\nC:hello\n"
                   "C:.\nLOST",
         .want = "later 0 4.4.2 end of data failed later 0 4.4.2 end of data"},
        {"no answer to the dot", .messages = {plain},
         .script = HELLO_PIPE SAY_ONE
                   "S:250 ok\nS:250 ok\nS:354 go\nC:Subject: hi\nC:\nC:hello\n"
                   "C:.\nTIME",
         .want = "later 0 4.4.2 end of data failed later 0 4.4.2 end of data"},
        {"nonsense after the dot", .messages = {plain},
         .script = HELLO_PIPE SAY_ONE
                   "S:250 ok\nS:250 ok\nS:354 go\nC:Subject: hi\nC:\nC:hello\n"
                   "C:.\nS:354 again",
         .want = "later 0 4.5.0 end of data failed later 0 4.5.0 end of data"},
        {"354 to a recipient", .messages = {plain},
         .script = HELLO_PIPE SAY_ONE "S:250 ok\nS:354 go",
         .want = "later 0 4.5.0 RCPT TO failed later 0 4.5.0 RCPT TO"},
        {"250 to DATA", .messages = {plain},
         .script = HELLO_PIPE SAY_ONE "S:250 ok\nS:250 ok\nS:250 ok",
         .want = "later 0 4.5.0 DATA failed later 0 4.5.0 DATA"},
        {"421 while idle",
         .script = HELLO "S:250 mx\nC:QUIT\nS:421 4.4.2 idle", .want = ""},
    };
    (void)state;
    play_all(cases, sizeof cases / sizeof *cases);
}
// clang-format on

/* What the driver sees besides words: deadlines, text kept whole, the reply in
 * the middle of the content, more answers than questions. */
static void
reach(struct smtp_client *m, struct str server, enum smtp_client_event want)
{
    enum smtp_client_event ev = SMTP_CLIENT_NEED_INPUT;
    struct instant now = {.mono_ms = 5000};
    size_t used;

    do {
        used = smtp_client_feed(m, now, server, &ev);
        server = str_from_pos(server, used);
        smtp_client_sent(m, now, smtp_client_output(m).n);
    } while (ev != want && (used > 0 || ev != SMTP_CLIENT_NEED_INPUT));
    assert_int_equal(ev, want);
}

static void
open_client(struct smtp_client *m)
{
    smtp_client_init(m,
                     &(struct smtp_client_options){.helo = STR("me"),
                                                   .command_timeout_ms = 1000,
                                                   .data_timeout_ms = 3000},
                     (struct instant){.mono_ms = 100});
}

static void
deadlines(void **state)
{
    struct smtp_client m;
    struct recipient rcpt = {.address = STR("b@y.example")};
    struct envelope e = {.rcpts = &rcpt, .n_rcpts = 1};
    struct instant now = {.mono_ms = 7000};
    (void)state;

    open_client(&m);
    assert_int_equal(smtp_client_deadline(&m), 1100);
    reach(&m, STR("220 x\r\n250-x\r\n250 PIPELINING\r\n"), SMTP_CLIENT_READY);
    assert_true(smtp_client_deadline(&m) == INT64_MAX);
    smtp_client_begin(&m, now, &e, 0, false);
    assert_int_equal(smtp_client_deadline(&m), 8000);
    reach(&m, STR("250 x\r\n250 x\r\n354 x\r\n"), SMTP_CLIENT_CONTENT);
    assert_int_equal(smtp_client_deadline(&m), 8000);
    smtp_client_content_end(&m, now);
    assert_int_equal(smtp_client_deadline(&m), 10000);
    smtp_client_fini(&m);
}

static void
refused_in_mid_content(void **state)
{
    struct smtp_client m;
    struct recipient rcpt = {.address = STR("b@y.example")};
    struct envelope e = {.rcpts = &rcpt, .n_rcpts = 1};
    struct instant now = {0};
    (void)state;

    open_client(&m);
    reach(&m, STR("220 x\r\n250-x\r\n250 PIPELINING\r\n"), SMTP_CLIENT_READY);
    smtp_client_begin(&m, now, &e, 100, true);
    reach(&m, STR("250 x\r\n250 x\r\n354 x\r\n"), SMTP_CLIENT_CONTENT);
    smtp_client_content(&m, STR("some"));
    reach(&m, STR("552-5.3.4 too\r\n552 5.3.4 big\r\n"), SMTP_CLIENT_DONE);
    assert_int_equal(m.verdicts[0].outcome, OUTCOME_REFUSED);
    assert_true(
        str_eq(m.verdicts[0].text, STR("552-5.3.4 too\n552 5.3.4 big")));
    smtp_client_content(&m, STR("more"));
    smtp_client_content_end(&m, now);
    assert_int_equal(smtp_client_output(&m).n, 0);
    reach(&m, STR_EMPTY, SMTP_CLIENT_CLOSE);
    smtp_client_fini(&m);
}

/* Whoever sits between us and the host could add replies in clear that would
 * be read as if they had come under TLS. */
static void
clear_text_behind_starttls(void **state)
{
    struct smtp_client m;
    struct instant now = {0};
    (void)state;

    smtp_client_init(
        &m,
        &(struct smtp_client_options){.helo = STR("me"), .tls = SMTP_TLS_MAY},
        now);
    reach(&m, STR("220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n250 evil\r\n"),
          SMTP_CLIENT_CLOSE);
    assert_int_equal(m.failed.outcome, OUTCOME_LATER);
    assert_false(m.tls);
    smtp_client_fini(&m);
}

/* Thousands of recipients: commands are held back by the output, and replies
 * that repeat themselves are kept once. */
static void
many_recipients(void **state)
{
    enum { N = 5000 };
    static struct recipient rcpts[N];
    struct smtp_client m;
    struct envelope e = {.rcpts = rcpts, .n_rcpts = N};
    enum smtp_client_event ev;
    struct instant now = {0};
    size_t commands = 0, heard = 0;
    (void)state;

    for (size_t i = 0; i < N; i++)
        rcpts[i].address = STR("someone-with-a-name@a-domain.example");
    open_client(&m);
    reach(&m, STR("220 x\r\n250-x\r\n250 PIPELINING\r\n"), SMTP_CLIENT_READY);
    smtp_client_begin(&m, now, &e, 0, true);
    assert_true(smtp_client_output(&m).n < 20000);
    do {
        struct str out = smtp_client_output(&m);
        for (size_t i = 0; i < out.n; i++)
            commands += out.p[i] == '\n';
        smtp_client_sent(&m, now, out.n);
        ev = SMTP_CLIENT_NEED_INPUT;
        while (heard < commands && ev == SMTP_CLIENT_NEED_INPUT) {
            struct str reply =
                heard++ == 0 ? STR("250 ok\r\n") : STR("550 5.1.1 nobody\r\n");
            (void)smtp_client_feed(&m, now, reply, &ev);
        }
    } while (ev == SMTP_CLIENT_NEED_INPUT);
    assert_int_equal(ev, SMTP_CLIENT_DONE);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(m.verdicts[i].outcome, OUTCOME_REFUSED);
    assert_true(m.kept < 100);
    smtp_client_fini(&m);
}

static void
answers_without_questions(void **state)
{
    struct smtp_client m;
    struct recipient rcpts[] = {{.address = STR("b@y.example")},
                                {.address = STR("c@y.example")}};
    struct envelope e = {.rcpts = rcpts, .n_rcpts = 2};
    enum smtp_client_event ev;
    struct instant now = {0};
    struct str server = STR("250 x\r\n250 x\r\n250 x\r\n354 x\r\n250 x\r\n");
    size_t used;
    (void)state;

    open_client(&m);
    reach(&m, STR("220 x\r\n250 x\r\n"), SMTP_CLIENT_READY);
    smtp_client_begin(&m, now, &e, 0, true);
    // Nothing is taken from the output: the peer cannot have seen a command.
    do {
        used = smtp_client_feed(&m, now, server, &ev);
        server = str_from_pos(server, used);
    } while (used > 0);
    assert_true(ev == SMTP_CLIENT_CONTENT || ev == SMTP_CLIENT_NEED_INPUT ||
                ev == SMTP_CLIENT_CLOSE);
    smtp_client_lost(&m, (struct status){4, 4, 2}, "timeout", STR("gone"));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(m.verdicts[i].outcome, OUTCOME_LATER);
    smtp_client_fini(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greetings),
        cmocka_unit_test(security),
        cmocka_unit_test(messages),
        cmocka_unit_test(breaking_off),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(refused_in_mid_content),
        cmocka_unit_test(clear_text_behind_starttls),
        cmocka_unit_test(many_recipients),
        cmocka_unit_test(answers_without_questions),
    };
    return cmocka_run_group_tests_name("proto/client", tests, NULL, NULL);
}
