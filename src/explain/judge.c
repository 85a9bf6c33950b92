/* SPDX-License-Identifier: ISC */
#include "explain/judge.h"

#include "base/ascii.h"
#include "base/math.h"
#include "explain/spot.h"
#include "mail/verdict.h"

enum {
    SAID_LONGEST = 1500,    /* octets of a reply that are shown */
    SENTENCE_LONGEST = 160, /* more explains at large what it may be */
    VOICES_MOST = 10
};

/* Something that was said of the failure, the weightiest first. */
struct voice {
    struct str text;
    bool reply; /* opens with a reply code */
    bool own;   /* what the program that wrote the notice makes of it */
};

struct voices {
    struct arena *a;
    struct voice list[VOICES_MOST];
    size_t n;
};

/* "550 5.1.1 <a@b.example>... User unknown": sendmail, who relays what a server
 * said by another line. A server that is a sendmail says so too. */
static bool
is_sendmails(struct str reply)
{
    ssize_t dots = str_find(reply, STR(">... "));
    struct str before = str_first(reply, dots < 0 ? 0 : (size_t)dots);
    ssize_t opens = str_rfind_char(before, '<');
    return opens >= 0 &&
           str_find_char(str_from_pos(before, (size_t)opens), ' ') < 0;
}

static void
add_voice(struct voices *v, struct str text, bool reply)
{
    text = str_trim(text);
    if (text.n == 0 || v->n == VOICES_MOST)
        return;
    for (size_t i = 0; i < v->n; i++)
        if (str_eq(v->list[i].text, text))
            return;
    v->list[v->n++] = (struct voice){.text = text, .reply = reply};
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
        bool opens =
            spot_code_at(line, &code) || str_starts(line, STR("Giving up on "));
        if (out.n > 0)
            buf_add_char(&out, opens ? '\n' : ' ');
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
    if (reply.n > 0 && strchr("]'\")", reply.p[reply.n - 1]) != NULL &&
        str_find_char(reply, '[') < 0 && str_find_char(reply, '(') < 0)
        reply.n--;
    return reply;
}

/* The first of several replies that stand on lines of their own: up to one with
 * another code. */
static struct str
first_reply(struct str text)
{
    struct str code, other;
    if (!spot_code_at(text, &code))
        return text;
    for (size_t i = 1; i < text.n; i++)
        if (text.p[i - 1] == '\n' &&
            spot_code_at(str_from_pos(text, i), &other) && !str_eq(code, other))
            return str_first(text, i - 1);
    return text;
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
    reply = split_lines(v->a, reply);
    while (reply.n > 0) {
        struct str one = first_reply(reply);
        add_voice(v, one, true);
        reply = str_trim(str_from_pos(reply, one.n));
    }
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
    {"refused to talk to me",           "connection" },
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

static bool
is_host_char(char c)
{
    return ascii_is_alnum((unsigned char)c) || c == '.' || c == '-';
}

/* The name or address in front of the words: "mx.example.net failed after I
 * sent the message." */
static struct str
host_before(struct str text, struct str words)
{
    ssize_t at = str_find(text, words);
    struct str before = str_first(text, at < 0 ? 0 : (size_t)at);
    size_t n = 0;
    while (n < before.n && is_host_char(before.p[before.n - 1 - n]))
        n++;
    return str_from_pos(before, before.n - n);
}

static struct str
host_behind(struct str text, ssize_t at, struct str words)
{
    if (at < 0)
        return STR_EMPTY;
    struct str host = str_from_pos(text, (size_t)at + words.n);
    size_t n = 0;
    while (n < host.n && is_host_char(host.p[n]))
        n++;
    return str_first(host, n);
}

/* "host mx.example.net [192.0.2.1]", "mx.example.net[192.0.2.1] said:", and
 * qmail-remote's sentences. */
static struct str
find_host(struct str text)
{
    struct str host = STR_EMPTY;
    ssize_t at = str_find_nocase(text, STR("host "));
    if (at == 0 || (at > 0 && !ascii_is_alnum((unsigned char)text.p[at - 1])))
        host = host_behind(text, at, STR("host "));
    static const struct str connected = {"Connected to ", 13};
    if (str_find_char(host, '.') <= 0)
        host = host_behind(text, str_find(text, connected), connected);
    static const struct str sentences[] = {
        {" does not like recipient",         24},
        {" failed after I sent the message", 32},
        {" failed on DATA command",          23},
        {" does not like your sender",       26},
    };
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (str_find_char(host, '.') <= 0)
            host = host_before(text, sentences[i]);
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
 * something before those that are vague; own: of voices of this kind. */
static bool
find_by_words(const struct voices *v, bool own, struct explained *e,
              const struct reason **vague)
{
    enum catalogue_stage stage = catalogue_stage_find(e->stage);
    struct recognised r;
    for (size_t i = 0; i < v->n; i++) {
        if (v->list[i].own != own ||
            !catalogue_read(v->list[i].text, stage, &r) || r.by != BY_WORDING)
            continue;
        if (!r.vague) {
            e->reason = r.reason;
            e->wording_of = r.origin;
            e->confidence = EXPLAIN_HIGH;
            return true;
        }
        if (*vague == NULL)
            *vague = r.reason;
    }
    return false;
}

/* The enhanced code of the reply, else the report's. */
static struct recognised
find_code(const struct explained *e, struct str dsn_status)
{
    struct recognised code = {0}, dsn = {0};
    if (catalogue_by_status(status_find(e->status), &code) && !code.vague)
        return code;
    if (catalogue_by_status(status_find(dsn_status), &dsn) &&
        (code.reason == NULL || !dsn.vague))
        return dsn;
    return code;
}

static bool
find_reason(const struct voices *v, struct str dsn_status, struct explained *e)
{
    const struct reason *vague = NULL;
    if (find_by_words(v, false, e, &vague))
        return true;
    struct recognised code = find_code(e, dsn_status);
    if ((code.reason == NULL || code.vague) &&
        find_by_words(v, true, e, &vague))
        return true;
    if (code.reason == NULL && vague == NULL)
        (void)catalogue_by_reply(number(e->reply), &code);
    // "550 5.7.9 Rejected": the code says of what kind, the word nothing.
    bool security = status_find(e->status).subject == 7;
    e->reason =
        code.reason != NULL && (!code.vague || security || vague == NULL)
            ? code.reason
            : vague;
    if (e->reason != NULL && str_eq(e->reason->id, STR("unclear")))
        e->reason = NULL;
    e->confidence = e->reason != NULL ? EXPLAIN_MEDIUM : EXPLAIN_LOW;
    return e->reason != NULL;
}

/* Of several replies in the words the one that says what the report's Status
 * says, to the front. */
static void
put_agreeing_first(struct voices *v, struct str dsn_status)
{
    struct recognised dsn, r;
    if (!catalogue_by_status(status_find(dsn_status), &dsn) || dsn.vague)
        return;
    for (size_t i = 0; i < v->n; i++) {
        struct voice said = v->list[i];
        if (!said.reply || !catalogue_read(said.text, CATALOGUE_ANYWHERE, &r) ||
            r.reason != dsn.reason)
            continue;
        memmove(v->list + 1, v->list, i * sizeof said);
        v->list[0] = said;
        return;
    }
}

static bool
is_closer(const struct reason *r)
{
    static const char *const ids[] = {"recipient-disabled",
                                      "recipient-suspended", "recipient-moved",
                                      "recipient-full"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (str_eq(r->id, str_from(ids[i])))
            return true;
    return false;
}

/* What the notice says itself, words, may name the cause closer than the reply
 * does. */
static void
refine(struct str words, const struct claim *c, struct explained *e)
{
    struct recognised r;
    if (c->local &&
        (e->reason == NULL || str_eq(e->reason->klass, STR("remote-system"))))
        e->reason = catalogue_find(STR("mailbox-trouble"));
    if (e->reason == NULL)
        return;
    // Its own time ran out: what kept it from the server is a detail.
    if (e->reply.n == 0 && str_eq(e->reason->klass, STR("network")) &&
        catalogue_by_status(status_find(c->status), &r) &&
        str_eq(r.reason->id, STR("expired")))
        e->reason = r.reason;
    while (words.n > 0 && str_eq(e->reason->id, STR("unknown-recipient"))) {
        struct str line;
        (void)str_cut(words, '\n', &line, &words);
        if (line.n <= SENTENCE_LONGEST &&
            catalogue_read(line, CATALOGUE_ANYWHERE, &r) &&
            r.by == BY_WORDING && !r.vague && is_closer(r.reason))
            e->reason = r.reason;
    }
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
    if (!replied)
        put_agreeing_first(&v, c->status);
    for (size_t i = 1; replied && i < v.n; i++)
        v.list[i].own = is_sendmails(v.list[i].text);

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
    refine(alone ? before : STR_EMPTY, c, e);
    if (e->status.n == 0)
        e->status = dsn_status;
    if (e->reason == NULL)
        e->reason = catalogue_find(STR("unclear"));
    e->said = v.n > 0 ? str_first(v.list[0].text, SAID_LONGEST) : STR_EMPTY;
    e->permanent = is_permanent(e);
    return found || e->reply.n > 0 || e->status.n > 0;
}
