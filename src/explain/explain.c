/* SPDX-License-Identifier: ISC */
#include "explain/explain.h"

#include "base/ascii.h"
#include "explain/claim.h"
#include "explain/formats.h"
#include "explain/judge.h"
#include "explain/kind.h"
#include "explain/logline.h"
#include "explain/notice.h"
#include "explain/prose.h"
#include "explain/record.h"
#include "explain/report.h"
#include "explain/sns.h"
#include "explain/spot.h"
#include "explain/undress.h"
#include "explain/when.h"
#include "mail/header.h"
#include "mail/mime.h"

enum {
    DEEPEST = 4, /* messages handed on in each other */
    LOGLINE_LONGEST = 8192,
    PROSE_ENOUGH = 240, /* octets: more is a letter, not a reply */
};

struct str
explain_kind_name(enum explain_kind k)
{
    static const char *const names[] = {
        [EXPLAIN_OTHER] = "other",         [EXPLAIN_FAILURE] = "failure",
        [EXPLAIN_DELAY] = "delay",         [EXPLAIN_SUCCESS] = "success",
        [EXPLAIN_RELAYED] = "relayed",     [EXPLAIN_AUTOREPLY] = "autoreply",
        [EXPLAIN_COMPLAINT] = "complaint",
    };
    return str_from(names[k]);
}

struct str
explain_confidence_name(enum explain_confidence c)
{
    static const char *const names[] = {
        [EXPLAIN_LOW] = "low",
        [EXPLAIN_MEDIUM] = "medium",
        [EXPLAIN_HIGH] = "high",
    };
    return str_from(names[c]);
}

/* One message on its way to records. */
struct work {
    struct arena *a;
    struct explanation *out;
    struct notice n;
    struct claims claims;
    struct report report;
    struct prose prose;
    struct sns sns;
    bool speaks; /* its header is that of a notice */
    bool json;   /* sns was filled */
};

/* The header of the message that came back, as part or behind the words. */
static struct fields *
returned_of(struct work *w)
{
    if (w->n.returned.header.n == 0)
        w->n.returned = fields_of(w->prose.returned);
    return &w->n.returned;
}

/* What all records of a message share. */
static void
fill_common(struct work *w, struct explained *e)
{
    struct arena *a = w->a;
    struct fields *returned = returned_of(w);
    e->reporting_mta = w->report.reporting_mta;
    e->agent = w->prose.agent;
    e->date = when_rfc3339(a, notice_field(a, &w->n.header, STR("date")));
    if (returned->header.n > 0) {
        e->subject = notice_field(a, returned, STR("subject"));
        e->message_id = notice_field(a, returned, STR("message-id"));
        e->sender = notice_field(a, returned, STR("return-path"));
    }
    if (e->sender.n == 0)
        e->sender = w->report.sender;
    if (e->sender.n < 3)
        e->sender = notice_field(a, &w->n.header, STR("to"));
    struct spot s;
    e->sender = spot_address(e->sender, &s) ? s.address : STR_EMPTY;
    (void)str_skip_char(&e->message_id, '<');
    if (e->message_id.n > 0 && e->message_id.p[e->message_id.n - 1] == '>')
        e->message_id.n--;
    if (w->json) {
        e->sender = w->sns.sender;
        e->subject = w->sns.subject;
        e->reporting_mta = w->sns.reporting_mta;
        e->agent = STR("Amazon SES");
    }
    if (e->agent.n == 0) {
        fields_read(&w->n.header, a);
        for (size_t i = 0; i < w->n.header.n && e->agent.n == 0; i++)
            (void)formats_is_header(w->n.header.list[i].name,
                                    w->n.header.list[i].value, &e->agent);
    }
    if (str_eq(e->agent, STR("words")))
        e->agent = STR_EMPTY;
}

static struct str
lowered(struct arena *a, struct str action)
{
    size_t n = 0;
    while (n < action.n && ascii_is_alpha((unsigned char)action.p[n]))
        n++;
    return arena_dup_lower(a, str_first(action, n));
}

static void
add_claim(struct work *w, const struct explained *common, const struct claim *c)
{
    struct explained e = *common;
    e.recipient = c->recipient;
    e.action = lowered(w->a, c->action);
    e.kind = w->json ? w->sns.kind : kind_of_claim(w->a, &w->n, c);
    (void)judge(w->a, c, buf_str(&w->prose.before), w->claims.n == 1, &e);
    record_finish(&e);
    record_add(w->out, w->a, e, false);
}

/* One record that names nobody, or the author of the message. */
static void
add_plain(struct work *w, enum explain_kind kind, struct str recipient)
{
    struct explained e = {.kind = kind, .recipient = recipient};
    fill_common(w, &e);
    record_finish(&e);
    record_add(w->out, w->a, e, false);
}

/* RFC 5965: whom the complaint is about stands in the report, else in the
 * message that came back. */
static void
add_complaints(struct work *w)
{
    struct str rest = w->n.feedback;
    struct field f;
    struct spot s;
    size_t before = w->out->n;
    while (mime_next_field(&rest, &f))
        if (str_eq_nocase(f.name, STR("original-rcpt-to")) ||
            str_eq_nocase(f.name, STR("removal-recipient"))) {
            if (spot_address(f.value, &s))
                add_plain(w, EXPLAIN_COMPLAINT, s.address);
        }
    if (w->out->n > before)
        return;
    struct str to = notice_field(w->a, returned_of(w), STR("to"));
    add_plain(w, EXPLAIN_COMPLAINT,
              spot_address(to, &s) ? s.address : STR_EMPTY);
}

/* "X-Failed-Recipients: a@b.example, c@d.example". */
static void
take_failed_recipients(struct work *w)
{
    struct str value =
        notice_field(w->a, &w->n.header, STR("x-failed-recipients"));
    struct spot s;
    if (!spot_address(value, &s))
        return;
    do {
        (void)claims_of(&w->claims, s.address);
    } while (spot_next(&s));
}

/* Nobody is named where recipients stand: an address in the words, which is not
 * that of whom the notice went to or a postmaster's; else whom the message that
 * came back was for. */
static void
guess_recipient(struct work *w)
{
    struct str own = STR_EMPTY;
    struct spot s;
    if (spot_address(notice_field(w->a, &w->n.header, STR("to")), &s))
        own = s.address;
    struct str rest = buf_str(&w->prose.before), line;
    while (rest.n > 0) {
        (void)str_cut(rest, '\n', &line, &rest);
        if (!spot_address(line, &s))
            continue;
        do {
            if (str_find_char(s.address, '@') > 0 &&
                !str_eq_nocase(s.address, own) &&
                !str_starts_nocase(s.address, STR("postmaster")) &&
                !str_starts_nocase(s.address, STR("mailer-daemon"))) {
                struct claim *c = claims_of(&w->claims, s.address);
                if (c != NULL)
                    claim_say(c, line);
                return;
            }
        } while (spot_next(&s));
    }
    struct fields *returned = returned_of(w);
    if (notice_field(w->a, returned, STR("list-id")).n > 0)
        return; // its To is the list
    static const char *const fields[] = {"x-original-to", "delivered-to",
                                         "x-envelope-to", "to"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct str value = notice_field(w->a, returned, str_from(fields[i]));
        if (!spot_address(value, &s) || str_find_char(s.address, '@') < 0)
            continue;
        do {
            (void)claims_of(&w->claims, s.address);
        } while (spot_next(&s));
        return;
    }
}

static void
work_begin(struct work *w, struct arena *a, struct explanation *out)
{
    *w = (struct work){.a = a, .out = out};
    claims_init(&w->claims, a);
}

static void
work_end(struct work *w)
{
    w->out->cut = w->out->cut || w->n.cut || w->claims.cut;
    prose_fini(&w->prose);
    claims_fini(&w->claims);
}

/* Is there a failure in these words at all: a reply, or a sentence that is
 * known? */
static bool
says_something(struct work *w, struct str text)
{
    struct recognised r;
    return spot_reply(str_first(text, 4096)) >= 0 ||
           (catalogue_read(text, CATALOGUE_ANYWHERE, &r) &&
            r.by == BY_WORDING) ||
           w->prose.known;
}

static void
add_claims(struct work *w)
{
    struct explained common = {0};
    fill_common(w, &common);
    for (size_t i = 0; i < w->claims.n; i++)
        add_claim(w, &common, w->claims.list[i]);
}

static bool explain_message(struct arena *a, struct str message,
                            struct explanation *out, unsigned depth);
static void explain_words(struct arena *a, struct str text,
                          struct explanation *out);
static bool explain_log(struct arena *a, struct str text,
                        struct explanation *out);

/* A reply that somebody has copied into a letter: lines that open with a
 * refusing code, an enhanced code behind it in the first. */
static struct str
find_reply_lines(struct str text)
{
    struct str line, code, status, begin = STR_EMPTY;
    while (text.n > 0) {
        struct str at = text;
        (void)str_cut(text, '\n', &line, &text);
        line = str_trim(line);
        bool coded = spot_code_at(line, &code) && code.p[0] >= '4';
        if (begin.n == 0 && coded && line.n > 4 &&
            spot_status(str_first(str_from_pos(line, 4), 10), &status))
            begin = at;
        else if (begin.n > 0 && !coded)
            return str_first(begin, begin.n - at.n);
    }
    return begin;
}

/* A notice that somebody has handed on, in a message of his own. */
static bool
explain_handed_on(struct work *w, unsigned depth)
{
    if (depth == DEEPEST) {
        w->out->cut = true;
        return false;
    }
    if (w->n.inner.n > 0 &&
        explain_message(w->a, w->n.inner, w->out, depth + 1))
        return true;
    struct str forwarded = undress_forwarded(w->a, w->n.prose);
    return forwarded.n > 0 &&
           explain_message(w->a, forwarded, w->out, depth + 1);
}

/* No notice, but what somebody has copied out of one, or out of a log. */
static bool
explain_copied(struct work *w, unsigned depth)
{
    if (explain_log(w->a, w->n.prose, w->out))
        return true;
    struct str reply = find_reply_lines(w->n.prose);
    if (reply.n > 0) {
        explain_words(w->a, reply, w->out);
        return true;
    }
    struct str words = undress(w->a, w->n.prose);
    return depth < DEEPEST && words.p != w->n.prose.p &&
           notice_has_header(words) &&
           explain_message(w->a, words, w->out, depth + 1);
}

/* A multipart whose header does not say so: it was lost, wrapped, or put around
 * by who handed the message on. */
static void
take_lost_parts(struct work *w, struct str message)
{
    struct str text = w->n.prose, rest = message;
    struct field f;
    if (str_trim(text).n == 0) {
        (void)mime_next_field_of(&rest, '\0', &f);
        text = rest;
    }
    struct str whole = undress_boundary(w->a, w->n.header.header, text);
    if (whole.n > 0) {
        notice_take(&w->n, w->a, whole);
        return;
    }
    text = undress(w->a, w->n.prose);
    if (!notice_has_header(text))
        w->n.prose = text;
}

/* RFC 5965 as text: the report of a complaint that was copied or forwarded. */
static void
take_lost_feedback(struct work *w)
{
    ssize_t at = str_find_nocase(w->n.prose, STR("\nFeedback-Type:"));
    if (w->n.feedback.n == 0 && at >= 0)
        w->n.feedback = str_from_pos(w->n.prose, (size_t)at + 1);
}

static void
read_all(struct work *w, struct str message)
{
    struct spot s = {0};
    notice_take(&w->n, w->a, message);
    if (w->n.report.n == 0)
        take_lost_parts(w, message);
    take_lost_feedback(w);
    w->speaks = notice_speaks_of_delivery(w->a, &w->n.header);
    if (w->n.report.n > 0)
        (void)report_read(w->n.report, &w->claims, &w->report);
    if (w->claims.n == 0 && sns_read(w->a, w->n.prose, &w->claims, &w->sns)) {
        w->json = true;
        return;
    }
    (void)spot_address(notice_field(w->a, &w->n.header, STR("to")), &s);
    prose_read(&w->prose, &w->claims, &w->report, w->n.prose, s.address);
}

/* Is a whole report what it carries? */
static bool
wraps_report(struct work *w)
{
    struct fields header = fields_of(w->n.inner);
    struct str type = notice_field(w->a, &header, STR("content-type"));
    return w->n.inner.n > 0 &&
           str_find_nocase(type, STR("multipart/report")) >= 0;
}

/* false: it is ordinary mail, nothing was added. */
static bool
explain_message(struct arena *a, struct str message, struct explanation *out,
                unsigned depth)
{
    struct work w;
    struct spot s;
    bool found = true;
    work_begin(&w, a, out);
    read_all(&w, message);
    bool reported = w.report.found && w.claims.n > 0;
    struct str complained =
        notice_field(a, &w.n.returned, STR("x-hmxmroriginalrecipient"));
    // The order is the meaning, though two of them do nothing more.
    // NOLINTBEGIN(bugprone-branch-clone)
    if (w.n.feedback.n > 0 || (!reported && kind_is_complaint(&w.n))) {
        add_complaints(&w);
    } else if (spot_address(complained, &s)) {
        add_plain(&w, EXPLAIN_COMPLAINT, s.address);
    } else if (((!reported && wraps_report(&w)) || !w.speaks) &&
               explain_handed_on(&w, depth)) {
        ;
    } else if (!reported && kind_is_autoreply(a, &w.n, w.prose.known)) {
        struct str from = notice_field(a, &w.n.header, STR("from"));
        add_plain(&w,
                  kind_is_unsubscribe(&w.n) ? EXPLAIN_COMPLAINT
                                            : EXPLAIN_AUTOREPLY,
                  spot_address(from, &s) ? s.address : STR_EMPTY);
    } else if (w.claims.n > 0 && (w.speaks || reported || w.json ||
                                  says_something(&w, w.n.prose))) {
        add_claims(&w);
    } else if (explain_handed_on(&w, depth) || explain_copied(&w, depth)) {
        ;
    } else if (w.speaks || w.prose.known) {
        take_failed_recipients(&w);
        if (w.claims.n == 0)
            guess_recipient(&w);
        if (w.claims.n > 0)
            add_claims(&w);
        else
            explain_words(a, w.n.prose, out);
    } else {
        found = false;
    }
    // NOLINTEND(bugprone-branch-clone)
    work_end(&w);
    return found;
}

static bool
is_about_sender(const struct reason *r)
{
    return str_starts(r->klass, STR("sender-")) ||
           str_eq(r->klass, STR("auth-required"));
}

/* A reply, or some sentences: nobody wrote a header. */
static void
explain_words(struct arena *a, struct str text, struct explanation *out)
{
    struct claim c = {.recipient = STR_EMPTY};
    struct explained e = {.kind = EXPLAIN_FAILURE};
    struct spot s;
    struct str line;
    while (text.n > 0 && c.text.n < CLAIM_TEXT_LONGEST) {
        (void)str_cut(text, '\n', &line, &text);
        claim_say(&c, str_trim(line));
    }
    struct str all = arena_dup(a, buf_str(&c.text));
    bool found = judge(a, &c, STR_EMPTY, false, &e);
    // Sentences without a code in which a wording happens to stand.
    if (!found || (e.reply.n == 0 && e.status.n == 0 && all.n > PROSE_ENOUGH))
        e = (struct explained){.kind = EXPLAIN_OTHER};
    else if (spot_address(all, &s)) {
        if (is_about_sender(e.reason))
            e.sender = s.address;
        else
            e.recipient = s.address;
    }
    record_finish(&e);
    record_add(out, a, e, false);
    buf_fini(&c.text);
}

/* once: forgotten as soon as the record was copied, so that a log of any length
 * takes the room of its records. */
static void
add_logline(struct arena *a, struct arena *once, struct str line,
            struct explanation *out)
{
    struct logline l;
    struct claim c = {0};
    if (!logline_read(line, &l))
        return;
    static const enum explain_kind kinds[] = {
        [LOGLINE_NONE] = EXPLAIN_OTHER,
        [LOGLINE_SENT] = EXPLAIN_SUCCESS,
        [LOGLINE_DEFERRED] = EXPLAIN_DELAY,
        [LOGLINE_FAILED] = EXPLAIN_FAILURE,
    };
    struct explained e = {.kind = kinds[l.outcome],
                          .recipient = l.recipient,
                          .sender = l.sender,
                          .agent = l.agent};
    c.recipient = l.recipient;
    c.status = l.status;
    c.stage = l.stage;
    c.host = l.remote;
    claim_say(&c, l.said);
    (void)judge(once, &c, STR_EMPTY, false, &e);
    record_finish(&e);
    buf_fini(&c.text);
    record_add(out, a, e, true);
    arena_reset(once);
}

/* Lines of a log, perhaps among others, perhaps wrapped; false: none says
 * anything. */
static bool
explain_log(struct arena *a, struct str text, struct explanation *out)
{
    struct str line;
    struct buf whole = {0};
    struct arena once = {0};
    size_t before = out->n;
    while (text.n > 0) {
        (void)str_cut(text, '\n', &line, &text);
        line = str_trim(line);
        bool begins = logline_is(line);
        if (begins || line.n == 0 || whole.n > LOGLINE_LONGEST) {
            add_logline(a, &once, buf_str(&whole), out);
            buf_clear(&whole);
        } else if (whole.n > 0) {
            buf_add_char(&whole, ' ');
        }
        if (begins || whole.n > 0)
            buf_add(&whole, line);
    }
    add_logline(a, &once, buf_str(&whole), out);
    arena_fini(&once);
    buf_fini(&whole);
    return out->n > before;
}

/* No header of a message in front: a report, a part of a bounce, or words. */
static void
explain_text(struct arena *a, struct str text, struct explanation *out)
{
    struct str whole = undress_boundary(a, STR_EMPTY, text);
    if (whole.n > 0 && explain_message(a, whole, out, 0))
        return;
    struct work w;
    work_begin(&w, a, out);
    w.n.cut = text.n > NOTICE_REPORT_LONGEST;
    w.n.prose = text = str_first(text, NOTICE_REPORT_LONGEST);
    w.json = sns_read(a, text, &w.claims, &w.sns);
    if (!w.json)
        prose_read(&w.prose, &w.claims, &w.report, text, STR_EMPTY);
    bool several = str_find_char(str_trim(text), '\n') >= 0;
    if (w.claims.n > 0 && (several || w.report.found) &&
        (w.report.found || says_something(&w, text)))
        add_claims(&w);
    else if (!explain_handed_on(&w, 0) && !explain_copied(&w, 0))
        explain_words(a, text, out);
    work_end(&w);
}

void
explain(struct arena *a, struct str octets, struct explanation *out)
{
    *out = (struct explanation){.cut = octets.n > EXPLAIN_LONGEST};
    struct str text = undress(a, str_first(octets, EXPLAIN_LONGEST));
    if (logline_is(str_trim(str_first(text, 200))) && explain_log(a, text, out))
        return;
    if (!notice_has_header(text)) {
        explain_text(a, text, out);
    } else if (!explain_message(a, text, out, 0)) {
        struct work w;
        work_begin(&w, a, out);
        notice_take(&w.n, a, text);
        add_plain(&w, EXPLAIN_OTHER, STR_EMPTY);
        work_end(&w);
    }
    if (out->n == 0)
        explain_words(a, text, out);
}
