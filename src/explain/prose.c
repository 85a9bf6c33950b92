/* SPDX-License-Identifier: ISC */
#include "explain/prose.h"

#include "base/ascii.h"
#include "base/math.h"
#include "explain/formats.h"
#include "explain/notice.h"
#include "explain/spot.h"

enum { LINES_MOST = 20000, SHARED_MOST = 256 };

struct reader {
    struct prose *p;
    struct claims *c;
    struct report *r;
    struct str own;
    bool only_known;                 /* the report has named them all */
    struct claim *open[SHARED_MOST]; /* those that the next lines speak of */
    size_t n_open;
    size_t indent;        /* of the line that opened the newest */
    bool said;            /* something was, since the newest was opened */
    bool blank;           /* an empty line was in front */
    bool aside;           /* up to the next empty line nothing counts */
    struct claim *asked;  /* ">>> RCPT TO:<…>" */
    struct str command;   /* the command of a transcript */
    struct str host;      /* "... while talking to mx.example.net.:" */
    struct buf unclaimed; /* replies in a transcript, of nobody so far */
};

static size_t
indent_of(struct str line)
{
    size_t n = 0;
    while (n < line.n && ascii_is_blank((unsigned char)line.p[n]))
        n++;
    return n;
}

/* The octets of "•", "・", "·" and their kind, or the second and third of one.
 */
static bool
is_bullet(struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    return c == 0xE2 || c == 0xC2 || (c >= 0x80 && c < 0xC0) ||
           str_starts(s, STR("\xE3\x83\xBB"));
}

/* What may stand between the edge of a line and the address that opens it. */
static bool
is_edge(struct str before)
{
    if (before.n > 12)
        return false;
    for (size_t i = 0; i < before.n; i++)
        if (strchr(" \t*-+>\"'<([.", before.p[i]) == NULL &&
            !is_bullet(str_from_pos(before, i)))
            return false;
    return true;
}

/* "a@b.example wrote:" and the like: an address in front of a sentence about
 * something else. */
static bool
is_other_use(struct str after)
{
    after = str_trim(after);
    return str_starts_nocase(after, STR("wrote")) ||
           str_starts_nocase(after, STR("schrieb"));
}

static void
open_claim(struct reader *r, struct claim *c, size_t indent)
{
    if (r->said)
        r->n_open = 0;
    r->said = false;
    for (size_t i = 0; i < r->n_open; i++)
        if (r->open[i] == c)
            return;
    if (r->n_open < SHARED_MOST)
        r->open[r->n_open++] = c;
    r->indent = indent;
}

static struct claim *
claim_of(struct reader *r, struct str address)
{
    struct claim *c = claims_find(r->c, address);
    if (c != NULL)
        return c;
    if (r->only_known) {
        for (size_t i = 0; i < r->c->n; i++)
            if (str_eq_nocase(r->c->list[i]->original, address))
                return r->c->list[i];
        return claims_name_unknown(r->c, address);
    }
    if (str_eq_nocase(address, r->own))
        return NULL;
    return claims_of(r->c, address);
}

static void
say(struct reader *r, struct str line)
{
    line = str_trim(line);
    if (r->n_open == 0) {
        if (r->p->before.n < CLAIM_TEXT_LONGEST) {
            buf_add(&r->p->before, line);
            buf_add_char(&r->p->before, '\n');
        }
        return;
    }
    if (line.n > 0)
        r->said = true;
    if (line.n > 0 || r->said)
        for (size_t i = 0; i < r->n_open; i++)
            claim_say(r->open[i], line);
}

/* ">>> RCPT TO:<a@b.example>", "<<< 550 …", as Sendmail and others quote a
 * dialogue; false: no line of one. */
static bool
take_command(struct reader *r, struct str line)
{
    static const char *const verbs[] = {"RCPT TO", "MAIL FROM", "DATA",
                                        "EHLO",    "HELO",      "QUIT",
                                        "AUTH",    "STARTTLS"};
    struct str rest = line;
    if (!str_skip(&rest, STR(">>>")) && !str_skip(&rest, STR("Sent <<<")))
        return false;
    rest = str_trim(rest);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!str_starts_nocase(rest, str_from(verbs[i])))
            continue;
        struct spot s;
        r->command = str_from(verbs[i]);
        r->asked = NULL;
        if (i == 0 && spot_address(rest, &s)) {
            r->asked = claim_of(r, s.address);
            if (r->asked != NULL)
                open_claim(r, r->asked, 0);
        }
        return true;
    }
    return false;
}

static bool
take_reply(struct reader *r, struct str line)
{
    if (!str_skip(&line, STR("<<<")) && !str_skip(&line, STR("Received >>>")))
        return false;
    line = str_trim(line);
    struct spot s;
    struct claim *c = r->asked;
    if (c == NULL && spot_address(line, &s))
        c = claims_find(r->c, s.address);
    if (c == NULL && r->n_open == 0 && !r->only_known) {
        buf_add(&r->unclaimed, line);
        buf_add_char(&r->unclaimed, '\n');
        return true;
    }
    if (c == NULL) {
        say(r, line);
        for (size_t i = 0; i < r->n_open; i++) {
            r->open[i]->stage = r->command;
            r->open[i]->host = r->host;
        }
        return true;
    }
    claim_say(c, line);
    r->said = true;
    c->stage = r->command;
    c->host = r->host;
    return true;
}

static bool
take_talking(struct reader *r, struct str line)
{
    static const char talking[] = "while talking to ";
    ssize_t at = str_find_nocase(str_first(line, 8 + sizeof talking - 1),
                                 STR("while talking to "));
    if (at < 0)
        return false;
    struct str host = str_from_pos(line, (size_t)at + sizeof talking - 1), rest;
    (void)str_cut(host, ' ', &host, &rest);
    while (host.n > 0 && strchr(".:", host.p[host.n - 1]) != NULL)
        host.n--;
    r->host = host;
    return true;
}

/* A line inside what is said of the newest recipient: deeper than it, no empty
 * line in between. */
static bool
is_inside(const struct reader *r, size_t indent)
{
    return r->n_open > 0 && !r->blank && indent > r->indent && r->said;
}

/* "550 5.1.1 <a@b.example>... User unknown", Sendmail's line in a transcript:
 * it names a recipient where nothing else has. */
static bool
take_coded(struct reader *r, struct str line)
{
    struct str code, status, rest = line;
    struct spot s;
    if (r->only_known || !spot_code_at(rest, &code))
        return false;
    rest = str_trim(str_from_pos(rest, 3));
    if (spot_status(str_first(rest, 12), &status) && status.p == rest.p)
        rest = str_trim(str_from_pos(rest, status.n));
    if (!spot_address(rest, &s) || s.before.n > 0 ||
        !str_starts(s.after, STR("...")))
        return false;
    struct claim *c = claim_of(r, s.address);
    if (c == NULL)
        return false;
    struct str words = str_trim(str_from_pos(s.after, 3));
    if (r->n_open > 1 || (r->n_open == 1 && r->open[0] != c))
        r->said = true; // another one's turn
    open_claim(r, c, 0);
    claim_say(c, buf_str(&r->unclaimed));
    buf_clear(&r->unclaimed);
    say(r, spot_code_at(words, &code) ? words : line);
    return true;
}

/* "(generated from a@b.example)" below a recipient: the address that was
 * written to. Where that one is hidden, or a file, the address itself is the
 * recipient. */
static bool
take_origin(struct reader *r, struct str line)
{
    struct spot s;
    if (str_find_nocase(line, STR("generated ")) < 0)
        return false; // nearly all lines
    if (str_find_nocase(line, STR("generated from")) < 0 &&
        str_find_nocase(line, STR("generated by ")) < 0)
        return false;
    if (!spot_address(line, &s))
        return false;
    struct claim *hidden = claims_name_unknown(r->c, s.address);
    if (hidden != NULL) {
        open_claim(r, hidden, r->indent);
    } else if (r->n_open == 0 || r->blank) {
        struct claim *c = claim_of(r, s.address);
        if (c != NULL)
            open_claim(r, c, r->indent);
    } else {
        r->open[r->n_open - 1]->original = s.address;
    }
    return true;
}

/* What in this line opens a recipient; false: nothing. */
static bool
find_recipient(struct reader *r, struct str line, size_t indent, struct spot *s,
               bool *edge)
{
    if (!spot_address(line, s) || is_other_use(s->after))
        return false;
    *edge = is_edge(s->before);
    if (*edge && !s->angled && str_find_char(s->address, '@') < 0)
        return false;
    // A reply that was wrapped may go on with an address.
    if (is_inside(r, indent) && !str_eq(str_trim(s->after), STR(":")))
        *edge = false;
    if (*edge || formats_names_recipient(s->before, s->after))
        return true;
    while (spot_next(s)) {
        struct str before = str_first(line, (size_t)(s->address.p - line.p));
        if (formats_names_recipient(before, s->after))
            return true;
    }
    return false;
}

/* "a@x.example, b@x.example": the others of a list; returns what is behind. */
static struct str
take_list(struct reader *r, struct spot s, size_t indent)
{
    struct spot next = s;
    while (s.after.n > 0 && strchr(",; ", s.after.p[0]) != NULL &&
           spot_next(&next)) {
        struct str between = str_trim(next.before);
        while (between.n > 0 && strchr(",;<\" \t", between.p[0]) != NULL)
            between = str_from_pos(between, 1);
        if (between.n > 0)
            break;
        struct claim *c = claim_of(r, next.address);
        if (c != NULL)
            open_claim(r, c, indent);
        s = next;
    }
    return s.after;
}

/* Does a recipient begin here? Adds what the line says of it. */
static bool
take_recipient(struct reader *r, struct str line, size_t indent)
{
    struct spot s;
    bool edge;
    if (!find_recipient(r, line, indent, &s, &edge))
        return false;
    struct claim *c = claim_of(r, s.address);
    if (c == NULL)
        return false;
    if (!edge && spot_reply(line) >= 0 && r->n_open > 0)
        say(r, line); // a reply about another one, who is behind the first
    open_claim(r, c, indent);
    if (!edge) {
        say(r, line);
        return true;
    }
    struct str rest = str_trim(take_list(r, s, indent));
    while (rest.n > 0 && strchr(">:)]\"',. \t", rest.p[0]) != NULL)
        rest = str_from_pos(rest, 1);
    if (rest.n > 1)
        say(r, rest);
    return true;
}

/* A line that speaks of one recipient by its address, in a text about several:
 * "550 <a@b.example>... User unknown". */
static bool
take_mention(struct reader *r, struct str line)
{
    struct spot s;
    if (r->c->n < 2 || !spot_address(line, &s))
        return false;
    do {
        struct claim *c = claims_find(r->c, s.address);
        if (c != NULL && s.after.n > 0 && strchr(".:>", s.after.p[0]) != NULL) {
            claim_say(c, line);
            return true;
        }
    } while (spot_next(&s));
    return false;
}

/* Does the message that came back begin here, without a word? */
static bool
begins_message(struct str line)
{
    static const char *const fields[] = {
        "Received:",           "Return-Path:", "DKIM-Signature:",
        "X-Received:",         "ARC-Seal:",    "X-Google-DKIM-Signature:",
        "DomainKey-Signature:"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (str_starts_nocase(line, str_from(fields[i])))
            return true;
    return false;
}

static bool
is_border_text(struct str line)
{
    return str_starts_nocase(line, STR("Content-")) ||
           str_starts_nocase(line, STR("MIME-Version:"));
}

/* Quotes of a reply; not the ">>>" of a transcript. */
static struct str
unquoted(struct str line)
{
    while (line.n > 1 && line.p[0] == '>' && line.p[1] == ' ')
        line = str_from_pos(line, 2);
    return line;
}

/* Empty, or nothing but "=====" and its kind. */
static bool
is_ruled(struct str line)
{
    for (size_t i = 0; i < line.n; i++)
        if (strchr("=-_*~#+", line.p[i]) == NULL)
            return false;
    return true;
}

/* "This is the mail system at host mx.example.com." */
static void
take_reporter(struct reader *r, struct str line)
{
    ssize_t at = str_find(line, STR(" at "));
    if (at < 0 || r->r->reporting_mta.n > 0)
        return;
    struct str host = str_from_pos(line, (size_t)at + 4);
    (void)str_skip(&host, STR("host "));
    while (host.n > 0 && strchr(".:,", host.p[host.n - 1]) != NULL)
        host.n--;
    if (str_find_char(host, '.') > 0 && str_find_char(host, ' ') < 0)
        r->r->reporting_mta = host;
}

/* false: the words end here. */
static bool
take_line(struct reader *r, struct str line)
{
    struct str agent;
    size_t indent = indent_of(line);
    struct str bare = str_trim(line);
    if (is_ruled(bare)) {
        r->blank = true;
        r->aside = false;
        if (r->n_open > 0)
            say(r, STR_EMPTY);
        return true;
    }
    if (formats_is_returned(bare) &&
        (r->c->n > 0 || r->p->known || bare.p[0] == '-'))
        return false;
    if (begins_message(line))
        return false;
    if (formats_is_sign(bare, &agent)) {
        if (!r->p->known)
            r->p->agent = agent;
        r->p->known = true;
        take_reporter(r, bare);
    }
    if (formats_is_aside(bare))
        r->aside = true;
    if (!r->aside && !is_border_text(bare) && !take_command(r, bare) &&
        !take_reply(r, bare) && !take_talking(r, bare) &&
        !take_origin(r, bare) && !take_coded(r, bare) &&
        !take_recipient(r, bare, indent) && !take_mention(r, bare))
        say(r, bare);
    r->blank = false;
    return true;
}

void
prose_read(struct prose *p, struct claims *c, struct report *rep,
           struct str text, struct str own)
{
    struct reader r = {
        .p = p, .c = c, .r = rep, .own = own, .only_known = c->n > 0};
    struct str line, rest;
    *p = (struct prose){0};
    for (unsigned n = 0; text.n > 0 && n < LINES_MOST; n++) {
        (void)str_cut(text, '\n', &line, &rest);
        struct str bare = unquoted(line);
        if (report_begins(str_trim(bare))) {
            text = report_read(text, c, rep);
            r.only_known = c->n > 0;
            if (r.only_known && notice_has_header(str_trim(text)))
                break; // the header that came back
            continue;
        }
        if (!take_line(&r, bare))
            break;
        text = rest;
    }
    if (r.unclaimed.n > 0) {
        buf_add(&p->before, buf_str(&r.unclaimed));
        if (c->n == 1)
            claim_say(c->list[0], buf_str(&r.unclaimed));
    }
    buf_fini(&r.unclaimed);
    if (text.n > 0) {
        if (!begins_message(line) && !notice_has_header(text))
            text = rest;
        p->returned = text;
    }
}

void
prose_fini(struct prose *p)
{
    buf_fini(&p->before);
}
