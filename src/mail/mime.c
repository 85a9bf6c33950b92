/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include "base/ascii.h"
#include "mail/header_internal.h"
#include "mail/mime_internal.h"

/* ---- delimiters ---------------------------------------------------------- */

/* A delimiter line. before: what stands before it, without the line end that
 * belongs to it. */
struct delimiter {
    struct str before, after;
    bool close;
};

/* "--" boundary [ "--" ] blanks. */
static bool
is_delimiter(struct str line, struct str boundary, bool *close)
{
    if (!str_skip(&line, STR("--")) || !str_skip(&line, boundary))
        return false;
    *close = str_skip(&line, STR("--"));
    while (line.n > 0 && ascii_is_blank((unsigned char)line.p[0]))
        line = str_from_pos(line, 1);
    return line.n == 0;
}

static bool
find_delimiter(struct str s, struct str boundary, struct delimiter *d)
{
    struct str rest = s;
    while (rest.n > 0) {
        if (!str_starts(rest, STR("--"))) { // nearly all lines
            ssize_t next = str_find(rest, STR("\n--"));
            if (next < 0)
                return false;
            rest = str_from_pos(rest, (size_t)next + 1);
        }
        size_t at = s.n - rest.n;
        if (!is_delimiter(mime_take_line(&rest), boundary, &d->close))
            continue;
        d->before = str_first(s, at);
        if (at > 0)
            d->before.n--;
        if (at > 1 && s.p[at - 2] == '\r')
            d->before.n--;
        d->after = rest;
        return true;
    }
    return false;
}

static bool
boundary_usable(struct str b)
{
    return b.n > 0 && b.n <= MIME_BOUNDARY;
}

/* The boundary of a multipart that does not name the one it uses: the first
 * line that looks like a delimiter with a header behind it. */
static struct str
guess_boundary(struct str body)
{
    while (body.n > 0) {
        struct str line = mime_take_line(&body);
        if (!str_skip(&line, STR("--")))
            continue;
        line = str_trim(line);
        if (boundary_usable(line) && str_find_char(line, ' ') < 0 &&
            str_starts_nocase(body, STR("content-")))
            return line;
    }
    return STR_EMPTY;
}

/* Of a message that lost its header, or the fields that matter: parts begin
 * at once, or behind one line about MIME. */
static struct str
guess_lost(struct str body)
{
    struct str rest = body;
    bool about = false;
    while (rest.n > 0) {
        struct str here = rest, line = str_trim(mime_take_line(&rest));
        if (line.n == 0)
            continue;
        if (str_starts(line, STR("--")))
            return boundary_usable(str_from_pos(line, 2)) &&
                           str_starts_nocase(rest, STR("content-"))
                       ? str_from_pos(line, 2)
                       : STR_EMPTY;
        if (about || here.n < line.n || str_find(line, STR("MIME")) < 0)
            return STR_EMPTY;
        about = true;
    }
    return STR_EMPTY;
}

/* ---- one part ------------------------------------------------------------ */

static bool
is_token(char c)
{
    return c > ' ' && c < 127 && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static struct str
take_token(struct str *s)
{
    size_t n = 0;
    *s = str_trim(*s);
    while (n < s->n && is_token(s->p[n]))
        n++;
    struct str token = str_first(*s, n);
    *s = str_trim(str_from_pos(*s, n));
    return token;
}

static void
read_type(struct str value, struct mime_part *p)
{
    struct str type = take_token(&value), subtype = STR_EMPTY;
    if (type.n > 0 && str_skip_char(&value, '/'))
        subtype = take_token(&value);
    if (subtype.n > 0) {
        p->type = type;
        p->subtype = subtype;
    } else {
        p->type = STR("text");
        p->subtype = STR("plain");
    }
    p->params = value;
}

static enum mime_encoding
read_encoding(struct str value)
{
    static const struct {
        const char *name;
        enum mime_encoding encoding;
    } names[] = {
        {"quoted-printable", MIME_QUOTED_PRINTABLE},
        {"base64",           MIME_BASE64          },
        {"x-uuencode",       MIME_UUENCODE        },
        {"x-uue",            MIME_UUENCODE        },
        {"uuencode",         MIME_UUENCODE        },
    };
    struct str name = take_token(&value);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq_nocase(name, str_from(names[i].name)))
            return names[i].encoding;
    return MIME_IDENTITY;
}

/* Where a header without an empty line behind it goes over into text. */
static struct str
stray_line(struct str whole)
{
    struct str rest = whole, name;
    while (rest.n > 0) {
        struct str here = rest, line = mime_take_line(&rest);
        if (line.n > 0 && !ascii_is_blank((unsigned char)line.p[0]) &&
            !header_take_name(&line, &name))
            return here;
    }
    return rest;
}

/* Parts header and body, and reads the fields that matter. true: the header
 * says of what type it is. */
static bool
read_header(struct str whole, struct mime_part *p)
{
    struct str rest = whole, value;
    struct field f;
    bool typed = false, encoded = false;
    while (mime_next_field_of(&rest, 'c', &f)) {
        value = f.value;
        if (!typed && str_eq_nocase(f.name, STR("content-type"))) {
            typed = true;
            read_type(value, p);
        } else if (!encoded &&
                   str_eq_nocase(f.name, STR("content-transfer-encoding"))) {
            encoded = true;
            p->encoding = read_encoding(value);
        }
    }
    if (rest.n == 0)
        rest = stray_line(whole);
    p->header = str_first(whole, whole.n - rest.n);
    p->body = rest;
    return typed;
}

/* A message in a message often has an empty line before its header. */
static struct str
skip_empty_lines(struct str s)
{
    struct str rest = s, at = s;
    struct field f;
    while (rest.n > 0 && mime_take_line(&rest).n == 0)
        at = rest;
    struct str probe = str_first(at, mime_line_length(at));
    return at.p != s.p && mime_next_field(&probe, &f) ? at : s;
}

/* ---- the walk ------------------------------------------------------------ */

static void
open_container(struct mime_walk *w, struct mime_part *p, struct str rest,
               struct str boundary)
{
    if (w->n_open == MIME_DEEPEST) {
        w->cut = true;
        return;
    }
    p->leaf = false;
    w->entered = true;
    w->open[w->n_open++] = (struct mime_open){
        .rest = rest,
        .boundary = boundary,
        .digest = str_eq_nocase(p->subtype, STR("digest")),
    };
}

/* false: no delimiter of this boundary is in the body. */
static bool
open_multipart(struct mime_walk *w, struct mime_part *p, struct str body,
               struct str boundary)
{
    struct delimiter d;
    if (!boundary_usable(boundary) || !find_delimiter(body, boundary, &d))
        return false;
    open_container(w, p, d.close ? STR_EMPTY : d.after, boundary);
    if (!p->leaf)
        w->open[w->n_open - 1].done = d.close;
    return true;
}

static bool
is_message_type(const struct mime_part *p)
{
    return str_eq_nocase(p->type, STR("message")) &&
           (str_eq_nocase(p->subtype, STR("rfc822")) ||
            str_eq_nocase(p->subtype, STR("global")));
}

/* By a boundary in pieces (RFC 2231, 3). */
static bool
open_joined(struct mime_walk *w, struct mime_part *p, struct str body)
{
    struct buf joined = {0};
    bool opened = false;
    if (w->n_open < MIME_DEEPEST &&
        mime_param_add(&joined, p->params, STR("boundary")) &&
        boundary_usable(buf_str(&joined))) {
        char *room = w->joined[w->n_open];
        memcpy(room, joined.p, joined.n);
        opened = open_multipart(w, p, body, str_from_n(room, joined.n));
    }
    buf_fini(&joined);
    return opened;
}

/* Opens what can be walked in body. A multipart in which nobody finds a
 * boundary is the text that it shows. */
static void
open_body(struct mime_walk *w, struct mime_part *p, struct str body)
{
    struct str boundary;
    if (is_message_type(p)) {
        open_container(w, p, body, STR_EMPTY);
        return;
    }
    if (!str_eq_nocase(p->type, STR("multipart")))
        return;
    if (mime_param(p->params, STR("boundary"), &boundary)) {
        if (open_multipart(w, p, body, str_trim(boundary)) ||
            open_joined(w, p, body))
            return;
    }
    (void)open_multipart(w, p, body, guess_boundary(body));
}

static void
fill_part(struct mime_walk *w, struct mime_part *p, struct str whole,
          bool message, bool digest)
{
    *p = (struct mime_part){
        .type = digest ? STR("message") : STR("text"),
        .subtype = digest ? STR("rfc822") : STR("plain"),
        .params = STR_EMPTY,
        .depth = w->n_open,
        .leaf = true,
    };
    if (message)
        whole = skip_empty_lines(whole);
    w->n_parts++;
    w->entered = false;
    bool typed = read_header(whole, p);
    if (p->encoding == MIME_IDENTITY ||
        str_eq_nocase(p->type, STR("multipart")))
        open_body(w, p, p->body);
    if (message && !typed && p->leaf) {
        struct str boundary = guess_lost(p->body);
        if (boundary.n > 0 && open_multipart(w, p, p->body, boundary)) {
            p->type = STR("multipart");
            p->subtype = STR("mixed");
        }
    } else if (p->leaf && p->encoding == MIME_IDENTITY && !w->cut &&
               str_eq_nocase(p->type, STR("multipart"))) {
        p->type = STR("text");
        p->subtype = STR("plain");
    }
}

void
mime_begin(struct mime_walk *w, struct str message)
{
    w->n_open = w->n_parts = 0;
    w->cut = w->entered = false;
    w->first = message;
    w->begun = false;
}

void
mime_begin_decoded(struct mime_walk *w, const struct mime_part *p,
                   struct str body)
{
    struct mime_part again = *p;
    mime_begin(w, body);
    if (is_message_type(p))
        return;
    w->begun = true;
    again.leaf = true;
    open_body(w, &again, body);
}

/* Takes the next part off what is open. */
static struct str
take_part(struct mime_open *o)
{
    struct delimiter d;
    struct str part = o->rest;
    o->done = true;
    if (o->boundary.n > 0 && find_delimiter(o->rest, o->boundary, &d)) {
        part = d.before;
        o->rest = d.after;
        o->done = d.close;
    }
    return part;
}

bool
mime_next(struct mime_walk *w, struct mime_part *p)
{
    if (!w->begun) {
        w->begun = true;
        fill_part(w, p, w->first, true, false);
        return true;
    }
    while (w->n_open > 0 && w->open[w->n_open - 1].done)
        w->n_open--;
    if (w->n_open == 0)
        return false;
    if (w->n_parts == MIME_PARTS) {
        w->cut = true;
        return false;
    }
    struct mime_open *o = &w->open[w->n_open - 1];
    bool message = o->boundary.n == 0, digest = o->digest;
    fill_part(w, p, take_part(o), message, digest);
    return true;
}

void
mime_skip(struct mime_walk *w)
{
    if (w->entered && w->n_open > 0)
        w->n_open--;
    w->entered = false;
}
