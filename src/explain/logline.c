/* SPDX-License-Identifier: ISC */
#include "explain/logline.h"

#include "base/ascii.h"
#include "explain/spot.h"

static bool
is_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

static struct str
take_word(struct str *line)
{
    struct str word;
    while (line->n > 0 && ascii_is_blank((unsigned char)line->p[0]))
        *line = str_from_pos(*line, 1);
    size_t n = 0;
    while (n < line->n && !ascii_is_blank((unsigned char)line->p[n]))
        n++;
    word = str_first(*line, n);
    *line = str_from_pos(*line, n);
    return word;
}

/* "Nov 24 12:00:00" or "2026-11-24T12:00:00.123+01:00". */
static bool
take_time(struct str *line)
{
    struct str rest = *line, word = take_word(&rest);
    if (word.n >= 19 && word.p[4] == '-' && word.p[7] == '-' &&
        (word.p[10] == 'T' || word.p[10] == ' ')) {
        *line = rest;
        return true;
    }
    if (word.n == 10 && word.p[4] == '-' && word.p[7] == '-') { // Exim's
        struct str clock = take_word(&rest);
        if (clock.n < 8 || clock.p[2] != ':')
            return false;
        *line = rest;
        return true;
    }
    if (word.n != 3 || !ascii_is_alpha((unsigned char)word.p[0]))
        return false;
    struct str day = take_word(&rest), clock = take_word(&rest);
    if (!is_digits(day) || day.n > 2 || clock.n < 8 || clock.p[2] != ':' ||
        clock.p[5] != ':')
        return false;
    *line = rest;
    return true;
}

/* "name[pid]:" with or without pid. */
static bool
is_tag(struct str word)
{
    if (word.n < 3 || word.p[word.n - 1] != ':')
        return false;
    word.n--;
    if (word.p[word.n - 1] != ']')
        return false;
    ssize_t open = str_rfind_char(word, '[');
    return open > 0 && is_digits(str_first(str_from_pos(word, (size_t)open + 1),
                                           word.n - (size_t)open - 2));
}

/* "key=" as a word, or behind "<" and the like; its value: to the blank, comma
 * or the bracket that closes it. */
static bool
find_value(struct str line, struct str key, struct str *value)
{
    struct str rest = line;
    for (;;) {
        ssize_t at = str_find_nocase(rest, key);
        if (at < 0)
            return false;
        bool word =
            rest.p + at == line.p || strchr(" ,(;\t", rest.p[at - 1]) != NULL;
        rest = str_from_pos(rest, (size_t)at + key.n);
        if (word)
            break;
    }
    char close = ' ';
    if (str_skip_char(&rest, '<'))
        close = '>';
    else if (str_skip_char(&rest, '"'))
        close = '"';
    size_t n = 0;
    while (n < rest.n && rest.p[n] != close &&
           (close != ' ' || rest.p[n] != ','))
        n++;
    *value = str_first(rest, n);
    return true;
}

static struct str
value_of(struct str line, struct str key)
{
    struct str value = STR_EMPTY;
    (void)find_value(line, key, &value);
    return value;
}

/* A value that is the rest of the line: "status=bounced (…)", "stat=…". */
static struct str
rest_of(struct str line, struct str key)
{
    ssize_t at = str_find_nocase(line, key);
    return at < 0 ? STR_EMPTY
                  : str_trim(str_from_pos(line, (size_t)at + key.n));
}

static struct str
unbracketed(struct str s)
{
    if (s.n > 1 && s.p[0] == '(' && s.p[s.n - 1] == ')')
        return str_first(str_from_pos(s, 1), s.n - 2);
    return s;
}

static struct str
host_of(struct str relay)
{
    struct str rest;
    (void)str_cut(relay, '[', &relay, &rest);
    relay = str_trim(relay);
    while (relay.n > 0 && relay.p[relay.n - 1] == '.')
        relay.n--;
    return str_eq(relay, STR("none")) ? STR_EMPTY : relay;
}

/* "to=<a@b.example>, relay=…, dsn=5.1.1, status=bounced (host … said: …)". */
static bool
read_postfix(struct str line, struct logline *out)
{
    struct str outcome = rest_of(line, STR(" status=")), word;
    if (outcome.n == 0)
        return false;
    word = take_word(&outcome);
    if (str_eq_nocase(word, STR("bounced")) ||
        str_eq_nocase(word, STR("expired,")))
        out->outcome = LOGLINE_FAILED;
    else if (str_eq_nocase(word, STR("deferred")))
        out->outcome = LOGLINE_DEFERRED;
    else if (str_eq_nocase(word, STR("sent")))
        out->outcome = LOGLINE_SENT;
    else
        return false;
    out->recipient = value_of(line, STR("to="));
    out->status = value_of(line, STR("dsn="));
    out->remote = host_of(value_of(line, STR("relay=")));
    out->said = unbracketed(str_trim(outcome));
    out->agent = STR("Postfix");
    return out->recipient.n > 0;
}

/* "reject: RCPT from host[ip]: 554 5.7.1 …; from=<> to=<> proto=… helo=<>". */
static bool
read_postfix_reject(struct str line, struct logline *out)
{
    struct str rest = rest_of(line, STR("reject: ")), tail;
    if (rest.n == 0)
        return false;
    out->stage = take_word(&rest);
    ssize_t at = str_find(rest, STR("]: "));
    if (at < 0 && (at = str_find(rest, STR(": "))) < 0)
        return false;
    struct str reply =
        str_from_pos(rest, (size_t)at + (rest.p[at] == ']' ? 3 : 2));
    tail = reply;
    ssize_t end = str_find(reply, STR("; from="));
    if (end > 0)
        reply = str_first(reply, (size_t)end);
    out->said = reply;
    out->recipient = value_of(tail, STR("to="));
    out->sender = value_of(tail, STR("from="));
    out->outcome =
        reply.n > 0 && reply.p[0] == '4' ? LOGLINE_DEFERRED : LOGLINE_FAILED;
    out->agent = STR("Postfix");
    return true;
}

/* "to=<a@b.example>, …, relay=…, dsn=5.1.1, stat=User unknown". */
static bool
read_sendmail(struct str line, struct logline *out)
{
    struct str stat = rest_of(line, STR(" stat="));
    if (stat.n == 0 || !find_value(line, STR("to="), &out->recipient))
        return false;
    out->said = stat;
    out->status = value_of(line, STR("dsn="));
    out->remote = host_of(value_of(line, STR("relay=")));
    out->agent = STR("Sendmail");
    if (str_starts_nocase(stat, STR("Sent")))
        out->outcome = LOGLINE_SENT;
    else if (str_starts_nocase(stat, STR("Deferred")))
        out->outcome = LOGLINE_DEFERRED;
    else
        out->outcome = LOGLINE_FAILED;
    return true;
}

/* "ruleset=check_rcpt, arg1=<a@b.example>, relay=…, reject=550 …". */
static bool
read_sendmail_reject(struct str line, struct logline *out)
{
    struct str said = rest_of(line, STR("reject="));
    if (said.n == 0 || str_find(line, STR("ruleset=")) < 0)
        return false;
    struct str argument = value_of(line, STR("arg1="));
    if (str_find(line, STR("check_mail")) >= 0)
        out->sender = argument;
    else
        out->recipient = argument;
    out->said = said;
    out->agent = STR("Sendmail");
    out->outcome = said.p[0] == '4' ? LOGLINE_DEFERRED : LOGLINE_FAILED;
    return true;
}

/* "mta delivery evpid=… from=<> to=<> … result="PermFail" stat="550 …"". */
static bool
read_opensmtpd(struct str line, struct logline *out)
{
    struct str result = value_of(line, STR("result="));
    if (result.n == 0)
        return false;
    out->recipient = value_of(line, STR("to="));
    out->sender = value_of(line, STR("from="));
    out->remote = value_of(line, STR("relay="));
    out->said = value_of(line, STR("stat="));
    out->agent = STR("OpenSMTPD");
    out->outcome = str_eq_nocase(result, STR("Ok"))         ? LOGLINE_SENT
                   : str_eq_nocase(result, STR("TempFail")) ? LOGLINE_DEFERRED
                                                            : LOGLINE_FAILED;
    return true;
}

/* "1abcde-000001-AB ** a@b.example <…> R=… T=… H=…: said". */
static bool
read_exim(struct str line, struct logline *out)
{
    static const struct {
        const char *mark;
        enum logline_outcome outcome;
    } marks[] = {
        {" ** ", LOGLINE_FAILED  },
        {" == ", LOGLINE_DEFERRED},
        {" => ", LOGLINE_SENT    },
        {" -> ", LOGLINE_SENT    },
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        ssize_t at = str_find(str_first(line, 80), str_from(marks[i].mark));
        struct spot s;
        if (at < 0 || !spot_address(str_from_pos(line, (size_t)at), &s))
            continue;
        out->outcome = marks[i].outcome;
        out->recipient = s.address;
        out->sender = value_of(line, STR("F="));
        out->agent = STR("Exim");
        struct str rest = s.after, host = value_of(line, STR("H="));
        out->remote = host;
        ssize_t end = str_find(rest, STR(": "));
        out->said =
            end < 0 ? rest : str_trim(str_from_pos(rest, (size_t)end + 2));
        return true;
    }
    return false;
}

/* "H=host [ip] F=<s> rejected RCPT <a@b.example>: said". */
static bool
read_exim_reject(struct str line, struct logline *out)
{
    static const char mark[] = "rejected ";
    ssize_t at = str_find(line, STR("rejected "));
    if (at < 0 ||
        (str_find(line, STR("H=")) < 0 && str_find(line, STR("F=")) < 0))
        return false;
    struct str rest = str_from_pos(line, (size_t)at + sizeof mark - 1);
    struct spot s;
    out->stage = take_word(&rest);
    out->sender = value_of(line, STR("F="));
    if (spot_address(rest, &s) && s.before.n < 3) {
        if (str_eq(out->stage, STR("MAIL")))
            out->sender = s.address;
        else
            out->recipient = s.address;
        rest = s.after;
    }
    ssize_t end = str_find(rest, STR(": "));
    out->said = end < 0 ? rest : str_trim(str_from_pos(rest, (size_t)end + 2));
    out->outcome = str_find(line, STR("temporarily rejected")) >= 0
                       ? LOGLINE_DEFERRED
                       : LOGLINE_FAILED;
    out->agent = STR("Exim");
    return true;
}

/* The program's tag in a line of syslog; empty: none, as in Exim's own log. */
static struct str
take_tag(struct str *line)
{
    for (unsigned i = 0; i < 3; i++) {
        struct str word = take_word(line);
        if (is_tag(word))
            return word;
    }
    return STR_EMPTY;
}

bool
logline_is(struct str line)
{
    if (!take_time(&line))
        return false;
    struct logline l;
    struct str rest = line;
    return take_tag(&rest).n > 0 || read_exim(line, &l) ||
           read_exim_reject(line, &l) || str_find(line, STR(" <= ")) >= 0 ||
           str_find(line, STR(" Completed")) >= 0;
}

bool
logline_read(struct str line, struct logline *out)
{
    *out = (struct logline){0};
    if (!take_time(&line))
        return false;
    struct str rest = line, tag = take_tag(&rest);
    if (tag.n == 0)
        return read_exim(line, out) || read_exim_reject(line, out);
    line = rest;
    if (read_postfix(line, out) || read_postfix_reject(line, out) ||
        read_opensmtpd(line, out) || read_sendmail(line, out) ||
        read_sendmail_reject(line, out))
        return true;
    return str_starts(tag, STR("exim")) &&
           (read_exim(line, out) || read_exim_reject(line, out));
}
