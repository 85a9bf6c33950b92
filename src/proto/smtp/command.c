/* SPDX-License-Identifier: ISC */
#include "proto/smtp/server_internal.h"

#include "proto/smtp/base64.h"

static void
hello(struct smtp_server *m, struct str args, bool esmtp, struct smtp_event *ev)
{
    if (!smtp_parse_hello(args)) {
        server_say(m, STR("501 5.5.4 expected one host name\r\n"));
        return;
    }
    ev->name = args;
    ev->esmtp = m->esmtp = esmtp;
    server_ask(m, SMTP_EVENT_HELLO, ev);
}

static void
do_ehlo(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    hello(m, args, true, ev);
}

static void
do_helo(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    hello(m, args, false, ev);
}

static void
do_starttls(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    if (m->tls)
        server_say(m, STR("503 5.5.1 TLS is in use already\r\n"));
    else if (!m->options->starttls)
        server_say(m, STR("502 5.5.1 TLS is not offered here\r\n"));
    else if (args.n > 0)
        server_say(m, STR("501 5.5.4 STARTTLS takes no argument\r\n"));
    else
        server_ask(m, SMTP_EVENT_STARTTLS, ev);
}

/* Is this word one of the list? */
static bool
has_word(struct str list, struct str word)
{
    struct str head;
    while (list.n > 0) {
        (void)str_cut(list, ' ', &head, &list);
        if (str_eq_nocase(head, word))
            return true;
    }
    return false;
}

static void
do_auth(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    struct str initial;
    bool given = str_cut(args, ' ', &ev->mechanism, &initial);

    if (m->options->mechanisms.n == 0) {
        server_say(m, STR("502 5.5.1 AUTH is not offered here\r\n"));
        return;
    }
    if (!m->tls) { // RFC 4954, 4: never a password in clear
        server_say(m, STR("538 5.7.11 encryption is needed to log in, "
                          "use STARTTLS first\r\n"));
        return;
    }
    if (m->logged_in) {
        server_say(m, STR("503 5.5.1 you are logged in already\r\n"));
        return;
    }
    if (ev->mechanism.n == 0) {
        server_say(m, STR("501 5.5.4 expected AUTH MECHANISM\r\n"));
        return;
    }
    if (!has_word(m->options->mechanisms, ev->mechanism)) {
        server_say(m, STR("504 5.5.4 unknown mechanism, EHLO lists ours\r\n"));
        return;
    }
    // "=" stands for an initial response without octets.
    if (given && !str_eq(initial, STR("=")) &&
        (initial.n == 0 || !base64_decode(&m->kept, initial))) {
        server_forget_kept(m);
        server_say(m, STR("501 5.5.2 not base 64\r\n"));
        return;
    }
    ev->has_bytes = given;
    ev->bytes = buf_str(&m->kept);
    server_ask(m, SMTP_EVENT_AUTH, ev);
}

/* A syntax reply for MAIL and RCPT; they differ in the address' own code. */
static void
say_parse(struct smtp_server *m, enum smtp_parse p, bool mail)
{
    switch (p) {
    case SMTP_BAD_ADDRESS:
        server_say(
            m, mail ? STR("501 5.1.7 not an address in angle brackets\r\n")
                    : STR("501 5.1.3 not an address in angle brackets\r\n"));
        return;
    case SMTP_BAD_PARAM:
        server_say(m, STR("501 5.5.4 bad value of a parameter\r\n"));
        return;
    case SMTP_UNKNOWN_PARAM:
        server_say(m, STR("555 5.5.4 unknown parameter\r\n"));
        return;
    case SMTP_PARSE_OK:
    case SMTP_BAD_SYNTAX:
        break;
    }
    server_say(m, mail ? STR("501 5.5.4 expected MAIL FROM:<address>\r\n")
                       : STR("501 5.5.4 expected RCPT TO:<address>\r\n"));
}

static void
do_mail(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    enum smtp_parse p = smtp_parse_mail(args, &ev->mail);
    if (p != SMTP_PARSE_OK) {
        m->spurned = true;
        say_parse(m, p, true);
    } else if (ev->mail.sender.utf8 && !ev->mail.smtputf8) {
        m->spurned = true;
        server_say(m, STR("553 5.6.7 this address needs SMTPUTF8\r\n"));
    } else {
        m->smtputf8 = ev->mail.smtputf8;
        m->binary = ev->mail.body == BODY_BINARYMIME;
        server_ask(m, SMTP_EVENT_SENDER, ev);
    }
}

static void
do_rcpt(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    enum smtp_parse p = smtp_parse_rcpt(args, &ev->rcpt);
    bool utf8 = p == SMTP_PARSE_OK && !m->smtputf8 &&
                (ev->rcpt.recipient.utf8 || ev->rcpt.orcpt_utf8);
    m->had_rcpt = true;
    if (p == SMTP_PARSE_OK && !utf8) {
        server_ask(m, SMTP_EVENT_RECIPIENT, ev);
        return;
    }
    m->spurned = true;
    if (utf8)
        server_say(m, STR("553 5.6.7 this address needs SMTPUTF8\r\n"));
    else
        say_parse(m, p, false);
}

static const struct str no_recipients = {
    "554 5.5.1 no recipient was accepted\r\n",
    sizeof "554 5.5.1 no recipient was accepted\r\n" - 1};
static const struct str out_of_order = {
    "503 5.5.1 bad sequence of commands\r\n",
    sizeof "503 5.5.1 bad sequence of commands\r\n" - 1};

/* What DATA and BDAT get where they may not come. */
static struct str
content_refusal(const struct smtp_server *m)
{
    return m->state == SMTP_MAIL && m->had_rcpt ? no_recipients : out_of_order;
}

static void
say_refusal(struct smtp_server *m, struct str reply)
{
    if (m->spurned)
        server_say_innocent(m, reply);
    else
        server_say(m, reply);
}

static void
do_data(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    if (args.n > 0)
        server_say(m, STR("501 5.5.4 DATA takes no argument\r\n"));
    else if (m->state != SMTP_RCPT)
        say_refusal(m, content_refusal(m));
    else if (m->binary) // RFC 3030, 3: no dot could end it
        server_say(m, STR("503 5.5.1 a message with BODY=BINARYMIME comes by "
                          "BDAT, not by DATA\r\n"));
    else
        server_ask(m, SMTP_EVENT_CONTENT, ev);
    m->chunked = false;
}

/* A chunk that no message can hold, or of which nobody knows the end. The
 * driver reads on for as long as the client says something, and drops it. */
static void
end_with_chunk(struct smtp_server *m, struct str reply, struct str why)
{
    server_say(m, reply);
    if (m->state != SMTP_CLOSED)
        server_say(m, why);
}

/* Twice the limit: below that the client may just not know it, and goes on
 * behind the chunk. */
static bool
is_absurd(const struct smtp_server *m, uint64_t size)
{
    return size / 2 > m->options->max_size;
}

static void
do_bdat(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    struct smtp_bdat bdat;
    enum smtp_parse p = smtp_parse_bdat(args, &bdat);
    if (p == SMTP_BAD_SYNTAX) {
        // What follows cannot be told from commands any more.
        end_with_chunk(m, STR("501 5.5.4 expected BDAT SIZE [LAST]\r\n"),
                       STR("421 4.5.0 the size of the chunk is not known, "
                           "goodbye\r\n"));
        return;
    }
    if (is_absurd(m, bdat.size)) {
        end_with_chunk(m,
                       STR("552 5.3.4 the chunk is larger than any message "
                           "may be\r\n"),
                       STR("421 4.5.0 the chunk is not waited for, goodbye"
                           "\r\n"));
        return;
    }
    m->chunk = bdat.size;
    m->chunk_last = bdat.last;
    m->chunked = true;
    if (p == SMTP_BAD_PARAM) // it is not known whether the message ends here
        server_waste_chunk(m, STR("501 5.5.4 expected BDAT SIZE [LAST]\r\n"),
                           m->state > SMTP_READY ? SMTP_READY : m->state,
                           false);
    else if (m->state == SMTP_RCPT)
        server_ask(m, SMTP_EVENT_CONTENT, ev);
    else if (m->state == SMTP_CHUNKED)
        m->state = SMTP_CHUNK;
    else
        server_waste_chunk(m, content_refusal(m), m->state, m->spurned);
}

static void
do_rset(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    if (args.n > 0) {
        server_say(m, STR("501 5.5.4 RSET takes no argument\r\n"));
        return;
    }
    if (server_leave(m))
        ev->type = SMTP_EVENT_RESET;
    m->spurned = false;
    server_say(m, STR("250 2.0.0 ok\r\n"));
}

static void
do_noop(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    (void)args;
    (void)ev;
    server_say(m, STR("250 2.0.0 ok\r\n"));
}

/* RFC 5321, 3.5.3: who exists is said at RCPT, where it is counted. */
static void
do_vrfy(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    (void)ev;
    server_say(m, args.n == 0
                      ? STR("501 5.5.4 expected VRFY ADDRESS\r\n")
                      : STR("252 2.5.0 not verified, send the message to "
                            "find out\r\n"));
}

static void
do_expn(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    (void)args;
    (void)ev;
    server_say(m, STR("502 5.5.1 lists are not expanded here\r\n"));
}

/* Of RFC 5321 and older, or never offered: known, but not wanted. 4.2.4 has
 * another code for these than for what nobody knows. */
static void
do_unwanted(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    (void)args;
    (void)ev;
    server_say(m, STR("502 5.5.1 this command is not used here\r\n"));
}

static void
do_help(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    (void)args;
    (void)ev;
    server_say(
        m, STR("214-2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP "
               "QUIT\r\n"
               "214 2.0.0 STARTTLS AUTH, where EHLO lists them; see RFC 5321"
               "\r\n"));
}

static void
do_quit(struct smtp_server *m, struct str args, struct smtp_event *ev)
{
    (void)ev;
    if (args.n > 0) {
        server_say(m, STR("501 5.5.4 QUIT takes no argument\r\n"));
        return;
    }
    server_say(m, STR("221 2.0.0 goodbye\r\n"));
    m->quit = true;
    server_end(m);
}

#define IN(state) (1U << (state))
#define BEFORE_DATA                                                            \
    (IN(SMTP_START) | IN(SMTP_READY) | IN(SMTP_MAIL) | IN(SMTP_RCPT) |         \
     IN(SMTP_CHUNKED))

/* The whole conversation on one page. A verb outside its states is a 503; DATA
 * and BDAT say more, and a BDAT must be read over wherever it comes. */
static const struct rule {
    struct str verb;
    unsigned states;
    void (*run)(struct smtp_server *m, struct str args, struct smtp_event *ev);
} rules[] = {
    {{"EHLO", 4},     BEFORE_DATA,                   do_ehlo    },
    {{"HELO", 4},     BEFORE_DATA,                   do_helo    },
    {{"STARTTLS", 8}, BEFORE_DATA,                   do_starttls},
    {{"AUTH", 4},     IN(SMTP_READY),                do_auth    },
    {{"MAIL", 4},     IN(SMTP_READY),                do_mail    },
    {{"RCPT", 4},     IN(SMTP_MAIL) | IN(SMTP_RCPT), do_rcpt    },
    {{"DATA", 4},     BEFORE_DATA,                   do_data    },
    {{"BDAT", 4},     BEFORE_DATA,                   do_bdat    },
    {{"RSET", 4},     BEFORE_DATA,                   do_rset    },
    {{"NOOP", 4},     BEFORE_DATA,                   do_noop    },
    {{"VRFY", 4},     BEFORE_DATA,                   do_vrfy    },
    {{"EXPN", 4},     BEFORE_DATA,                   do_expn    },
    {{"HELP", 4},     BEFORE_DATA,                   do_help    },
    {{"QUIT", 4},     BEFORE_DATA,                   do_quit    },
    {{"SEND", 4},     BEFORE_DATA,                   do_unwanted},
    {{"SOML", 4},     BEFORE_DATA,                   do_unwanted},
    {{"SAML", 4},     BEFORE_DATA,                   do_unwanted},
    {{"TURN", 4},     BEFORE_DATA,                   do_unwanted},
    {{"ETRN", 4},     BEFORE_DATA,                   do_unwanted},
    {{"ATRN", 4},     BEFORE_DATA,                   do_unwanted},
};

static const struct rule *
find_rule(struct str verb)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (str_eq_nocase(verb, rules[i].verb))
            return &rules[i];
    return NULL;
}

/* A browser that was led here, or somebody using it to reach us. */
static bool
is_http(struct str verb)
{
    static const char *const verbs[] = {"GET",    "HEAD",    "POST",  "PUT",
                                        "DELETE", "CONNECT", "PATCH", "OPTIONS",
                                        "TRACE",  "PRI"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (str_eq(verb, str_from(verbs[i])))
            return true;
    return false;
}

void
command_run(struct smtp_server *m, struct str line, struct smtp_event *ev)
{
    struct str verb, args;
    (void)str_cut(line, ' ', &verb, &args);

    const struct rule *rule = find_rule(verb);
    if (rule != NULL && (rule->states & IN(m->state)) == 0) {
        if (rule->run == do_rcpt)
            say_refusal(m, out_of_order);
        else
            server_say(m, out_of_order);
    } else if (rule != NULL)
        rule->run(m, args, ev);
    else if (is_http(verb))
        server_end_foreign(m, STR("554 5.5.1 this is a mail server, it speaks "
                                  "SMTP and not HTTP\r\n"));
    else
        server_say(m, STR("500 5.5.1 unknown command\r\n"));
}

void
command_auth_response(struct smtp_server *m, struct str line,
                      struct smtp_event *ev)
{
    m->state = SMTP_READY;
    ev->type = SMTP_EVENT_AUTH_END;
    if (str_eq(line, STR("*"))) {
        server_say(m, STR("501 5.7.0 cancelled\r\n"));
    } else if (!base64_decode(&m->kept, line)) {
        server_say(m, STR("501 5.5.2 not base 64\r\n"));
    } else {
        ev->bytes = buf_str(&m->kept);
        ev->has_bytes = true;
        server_ask(m, SMTP_EVENT_AUTH_RESPONSE, ev);
    }
}
