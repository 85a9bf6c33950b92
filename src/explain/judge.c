/* SPDX-License-Identifier: ISC */
#include "explain/judge.h"

#include "base/ascii.h"
#include "base/math.h"
#include "explain/spot.h"
#include "mail/verdict.h"

enum {
    SAID_LONGEST = 1500, /* octets of a reply that are shown */
    VOICES_MOST = 10
};

/* Something that was said of the failure, the weightiest first. */
struct voice {
    struct str text;
    bool reply; /* opens with a reply code */
};

struct voices {
    struct arena *a;
    struct voice list[VOICES_MOST];
    size_t n;
};

static void
add_voice(struct voices *v, struct str text, bool reply)
{
    text = str_trim(text);
    if (text.n == 0 || v->n == VOICES_MOST)
        return;
    for (size_t i = 0; i < v->n; i++)
        if (str_eq(v->list[i].text, text))
            return;
    v->list[v->n++] = (struct voice){text, reply};
}

/* Where the words about a reply begin that are not the remote's own. */
static struct str
without_comment(struct str text)
{
    ssize_t at = str_find_nocase(text, STR(" (in reply to "));
    if (at > 0)
        text = str_first(text, (size_t)at);
    at = str_find(text, STR("\nGiving up on "));
    if (at > 0)
        text = str_first(text, (size_t)at);
    return str_trim(text);
}

/* "550-5.1.1 a 550 5.1.1 b", lines of a reply that a program has joined: one a
 * line again. */
static struct str
split_lines(struct arena *a, struct str reply)
{
    struct str code;
    struct buf out = {0};
    if (!spot_code_at(reply, &code) || reply.n < 5 || reply.p[3] != '-')
        return reply;
    for (size_t i = 0; i < reply.n; i++) {
        struct str rest = str_from_pos(reply, i + 1);
        bool blank = reply.p[i] == ' ' && str_starts(rest, code) &&
                     rest.n > 3 && (rest.p[3] == '-' || rest.p[3] == ' ');
        buf_add_char(&out, blank ? '\n' : reply.p[i]);
    }
    struct str lines = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return lines;
}

/* A paragraph in one line, but a new line for each that opens with a code. */
static struct str
joined(struct arena *a, struct str paragraph)
{
    struct buf out = {0};
    struct str line, code;
    while (paragraph.n > 0) {
        (void)str_cut(paragraph, '\n', &line, &paragraph);
        line = str_trim(line);
        if (line.n == 0)
            continue;
        if (out.n > 0)
            buf_add_char(&out, spot_code_at(line, &code) ? '\n' : ' ');
        buf_add(&out, line);
    }
    struct str text = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

static struct str
next_paragraph(struct str *text)
{
    while (str_skip_char(text, '\n'))
        continue;
    ssize_t end = str_find(*text, STR("\n\n"));
    struct str p = end < 0 ? *text : str_first(*text, (size_t)end);
    *text = str_from_pos(*text, p.n);
    return p;
}

/* Brackets and quotes that a program has put around the reply. */
static struct str
without_brackets(struct str reply)
{
    reply = str_trim(reply);
    if (reply.n > 0 && strchr("]'\"", reply.p[reply.n - 1]) != NULL &&
        str_find_char(reply, '[') < 0)
        reply.n--;
    return reply;
}

static bool
add_reply(struct voices *v, struct str text)
{
    ssize_t at = spot_reply(text);
    if (at < 0)
        return false;
    struct str reply = without_comment(str_from_pos(text, (size_t)at));
    if (at > 0)
        reply = without_brackets(reply);
    add_voice(v, split_lines(v->a, reply), true);
    return true;
}

/* The replies in a text, paragraph by paragraph. */
static void
add_replies(struct voices *v, struct str text)
{
    while (text.n > 0 && v->n < VOICES_MOST) {
        struct str p = joined(v->a, next_paragraph(&text));
        // Exchange's own word on its queue, before the remote's last reply.
        ssize_t expired = str_find(p, STR("QUEUE.Expired"));
        if (expired >= 0 && spot_reply(str_from_pos(p, (size_t)expired)) >= 0)
            p = str_from_pos(p, (size_t)expired);
        (void)add_reply(v, p);
    }
}

/* Its words: the first paragraph, which is about the failure, before others. */
static void
add_words(struct voices *v, struct str text)
{
    add_voice(v, joined(v->a, next_paragraph(&text)), false);
    add_voice(v, joined(v->a, text), false);
}

static const struct stage_words {
    const char *words, *stage;
} stage_words[] = {
    {"rcpt to",                         "RCPT TO"    },
    {"rcpt_to",                         "RCPT TO"    },
    {"smtp:rcpt",                       "RCPT TO"    },
    {"does not like recipient",         "RCPT TO"    },
    {"end of data",                     "end of data"},
    {"after end of data",               "end of data"},
    {"failed after i sent the message", "end of data"},
    {"end-of-data",                     "end of data"},
    {"mail from",                       "MAIL FROM"  },
    {"mail_from",                       "MAIL FROM"  },
    {"sender was rejected",             "MAIL FROM"  },
    {"initial connection",              "connection" },
    {"(ehlo",                           "EHLO"       },
    {"after ehlo",                      "EHLO"       },
    {"to ehlo",                         "EHLO"       },
    {"after helo",                      "HELO"       },
    {"to helo",                         "HELO"       },
    {"to data command",                 "DATA"       },
    {"after data",                      "DATA"       },
};

static struct str
find_stage(struct str text)
{
    for (size_t i = 0; i < sizeof stage_words / sizeof stage_words[0]; i++)
        if (str_find_nocase(text, str_from(stage_words[i].words)) >= 0)
            return str_from(stage_words[i].stage);
    return STR_EMPTY;
}

/* "host mx.example.net [192.0.2.1]", "mx.example.net[192.0.2.1] said:". */
static struct str
find_host(struct str text)
{
    struct str host;
    ssize_t at = str_find_nocase(text, STR("host "));
    if (at >= 0 && (at == 0 || !ascii_is_alnum((unsigned char)text.p[at - 1])))
        host = str_from_pos(text, (size_t)at + 5);
    else if ((at = str_find(text, STR("Connected to "))) >= 0)
        host = str_from_pos(text, (size_t)at + 13);
    else
        return STR_EMPTY;
    size_t n = 0;
    while (n < host.n && (ascii_is_alnum((unsigned char)host.p[n]) ||
                          host.p[n] == '.' || host.p[n] == '-'))
        n++;
    host = str_first(host, n);
    return str_find_char(host, '.') > 0 ? host : STR_EMPTY;
}

static unsigned
number(struct str code)
{
    uint64_t n = 0;
    return str_to_u64(code, &n) ? (unsigned)n : 0;
}

/* Whoever waits can expect more of it. */
static bool
passes_by_itself(struct str klass)
{
    static const char *const classes[] = {
        "recipient-full", "rate",          "greylisted",  "timeout",
        "network",        "remote-system", "remote-full", "delayed"};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (str_eq(klass, str_from(classes[i])))
            return true;
    return false;
}

static bool
is_permanent(const struct explained *e)
{
    if (e->reply.n > 0)
        return e->reply.p[0] == '5';
    if (e->status.n > 0 && e->status.p[0] == '4')
        return false;
    return !passes_by_itself(e->reason->klass);
}

/* The reason by the words of one voice after the other, those that say
 * something before those that are vague; then by codes. */
static bool
find_reason(const struct voices *v, struct str dsn_status, struct explained *e)
{
    const struct reason *vague = NULL;
    enum catalogue_stage stage = catalogue_stage_find(e->stage);
    struct recognised r;
    for (size_t i = 0; i < v->n; i++) {
        if (!catalogue_read(v->list[i].text, stage, &r) || r.by != BY_WORDING)
            continue;
        if (!r.vague) {
            e->reason = r.reason;
            e->confidence = EXPLAIN_HIGH;
            return true;
        }
        if (vague == NULL)
            vague = r.reason;
    }
    struct recognised code = {0};
    if (!catalogue_by_status(status_find(e->status), &code) || code.vague) {
        struct recognised dsn = {0};
        if (catalogue_by_status(status_find(dsn_status), &dsn) &&
            (code.reason == NULL || !dsn.vague))
            code = dsn;
    }
    if (code.reason == NULL && vague == NULL)
        (void)catalogue_by_reply(number(e->reply), &code);
    // "550 5.7.9 Rejected": the code says of what kind, the word nothing.
    bool security = status_find(e->status).subject == 7;
    e->reason =
        code.reason != NULL && (!code.vague || security || vague == NULL)
            ? code.reason
            : vague;
    e->confidence = e->reason != NULL ? EXPLAIN_MEDIUM : EXPLAIN_LOW;
    return e->reason != NULL;
}

bool
judge(struct arena *a, const struct claim *c, struct str before, bool alone,
      struct explained *e)
{
    struct voices v = {.a = a};
    struct str text = arena_dup(a, buf_str(&c->text)); // the record outlives c
    bool replied = add_reply(&v, c->diagnostic);
    add_replies(&v, text);
    if (!replied)
        add_voice(&v, c->diagnostic, false);
    if (!add_reply(&v, c->status_text))
        add_voice(&v, c->status_text, false);
    add_words(&v, text);
    if (alone) {
        add_replies(&v, before);
        add_words(&v, before);
    }

    e->stage = c->stage;
    if (e->stage.n == 0)
        e->stage = find_stage(text);
    if (e->stage.n == 0)
        e->stage = find_stage(c->diagnostic);
    e->remote_mta = c->remote_mta.n > 0 ? c->remote_mta
                    : c->host.n > 0     ? c->host
                                        : find_host(text);
    for (size_t i = 0; i < v.n && e->reply.n == 0; i++)
        if (v.list[i].reply)
            e->reply = str_first(v.list[i].text, 3);
    for (size_t i = 0; i < v.n && e->status.n == 0; i++)
        if (i == 0 || c->status.n == 0)
            (void)spot_status(v.list[i].text, &e->status);
    struct str dsn_status = c->status;
    bool found = find_reason(&v, dsn_status, e);
    if (e->status.n == 0)
        e->status = dsn_status;
    if (e->reason == NULL)
        e->reason = catalogue_find(STR("unclear"));
    e->said = v.n > 0 ? str_first(v.list[0].text, SAID_LONGEST) : STR_EMPTY;
    e->permanent = is_permanent(e);
    return found || e->reply.n > 0 || e->status.n > 0;
}
