/* SPDX-License-Identifier: ISC */
#include "explain/undress.h"

#include "base/ascii.h"
#include "base/buf.h"
#include "base/math.h"
#include "explain/notice.h"
#include "mail/charset.h"
#include "mail/html.h"
#include "mail/mime.h"

enum {
    TURNS = 5,       /* wrappings around each other */
    LOOKED_AT = 8192 /* octets that tell what something is */
};

/* Every second octet of an ASCII text in UTF-16 is 0. */
static bool
is_wide(struct str s, bool *big_endian)
{
    size_t zeros[2] = {0, 0};
    size_t n = math_min(s.n, 512);
    if (n < 8)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s.p[i] == '\0')
            zeros[i % 2]++;
    *big_endian = zeros[0] > zeros[1];
    size_t most = math_max(zeros[0], zeros[1]);
    return most > n / 4 && math_min(zeros[0], zeros[1]) * 4 < most;
}

static struct str
from_charset(struct arena *a, struct str s, struct str charset)
{
    struct buf out = {0};
    charset_to_utf8(&out, charset, s);
    struct str text = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

/* Four of five lines that are not empty have '>' in front, and the first. */
static bool
is_quoted(struct str s)
{
    size_t quoted = 0, all = 0;
    struct str line;
    s = str_first(s, LOOKED_AT);
    while (s.n > 0) {
        (void)str_cut(s, '\n', &line, &s);
        line = str_trim(line);
        if (line.n == 0)
            continue;
        bool is = line.p[0] == '>' && !str_starts(line, STR(">>> "));
        if (all == 0 && !is)
            return false;
        all++;
        quoted += is;
    }
    return quoted * 5 >= all * 4 && all > 0;
}

/* The line without the quote's mark, and the blanks before that. */
static struct str
without_mark(struct str line)
{
    struct str at = line;
    while (at.n > 0 && ascii_is_blank((unsigned char)at.p[0]))
        at = str_from_pos(at, 1);
    if (!str_skip_char(&at, '>'))
        return line;
    (void)str_skip_char(&at, ' ');
    return at;
}

/* Takes off one level of quotes: into `to`, which may be where s lies. */
static struct str
without_quotes(char *to, struct str s)
{
    struct str line;
    size_t n = 0;
    while (s.n > 0) {
        bool more = str_cut(s, '\n', &line, &s);
        line = without_mark(line);
        if (line.n > 0)
            memmove(to + n, line.p, line.n);
        n += line.n;
        if (more)
            to[n++] = '\n';
    }
    return str_from_n(to, n);
}

static bool
is_base64_char(unsigned char c)
{
    return ascii_is_alnum(c) || c == '+' || c == '/' || c == '=' || c == '\r' ||
           c == '\n';
}

static bool
is_base64(struct str s)
{
    size_t n = math_min(s.n, LOOKED_AT);
    size_t ends = 0;
    if (n < 40)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!is_base64_char((unsigned char)s.p[i]))
            return false;
        ends += s.p[i] == '\n';
    }
    return ends > 0 || n >= 80;
}

static bool
is_text(struct str s)
{
    size_t odd = 0, n = math_min(s.n, LOOKED_AT);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        odd += c < 32 && c != '\n' && c != '\r' && c != '\t' && c != 27;
    }
    return n > 0 && odd * 50 < n;
}

static struct str
from_base64(struct arena *a, struct str s)
{
    struct buf out = {0};
    mime_decode(&out, MIME_BASE64, s, s.n);
    struct str text = is_text(buf_str(&out)) ? arena_dup(a, buf_str(&out)) : s;
    buf_fini(&out);
    return text;
}

static bool
is_page(struct str s)
{
    return str_starts_nocase(s, STR("<html")) ||
           str_starts_nocase(s, STR("<!doctype html")) ||
           str_starts_nocase(s, STR("<body")) ||
           str_starts_nocase(s, STR("<pre>"));
}

static struct str
from_page(struct arena *a, struct str s)
{
    struct buf out = {0};
    struct str charset = html_charset(s);
    if (charset.n > 0)
        s = from_charset(a, s, charset);
    html_to_text(&out, s);
    struct str text = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

static struct str
without_front(struct str s)
{
    struct str line, rest;
    (void)str_skip(&s, STR("\xEF\xBB\xBF"));
    while (s.n > 0 && (s.p[0] == '\n' || s.p[0] == '\r'))
        s = str_from_pos(s, 1);
    if ((str_starts(s, STR("From ")) || str_starts(s, STR(">From "))) &&
        str_cut(s, '\n', &line, &rest) && str_find_char(line, ':') > 0 &&
        !str_starts(line, STR("From :")))
        return rest;
    return s;
}

struct str
undress(struct arena *a, struct str octets)
{
    struct str s = octets;
    char *unquoted = NULL; // where s lies behind the first level of quotes
    bool big_endian;
    if (str_starts(s, STR("\xFF\xFE")) || str_starts(s, STR("\xFE\xFF")))
        s = from_charset(a, s, STR("utf-16"));
    else if (is_wide(s, &big_endian))
        s = from_charset(a, s, big_endian ? STR("utf-16be") : STR("utf-16le"));
    for (unsigned turn = 0; turn < TURNS; turn++) {
        struct str before = s;
        s = without_front(s);
        if (is_quoted(s)) {
            if (unquoted == NULL)
                unquoted = arena_alloc(a, s.n);
            s = without_quotes(unquoted, s);
            continue;
        }
        unquoted = NULL;
        if (is_page(str_trim(str_first(s, LOOKED_AT))))
            s = from_page(a, s);
        else if (is_base64(s))
            s = from_base64(a, s);
        if (s.p == before.p)
            break;
    }
    return s;
}

/* "--boundary", and a field of a part behind it. */
static bool
is_boundary(struct str line, struct str rest)
{
    line = str_trim(line);
    if (line.n < 5 || line.n > 200 || !str_starts(line, STR("--")) ||
        str_find_char(line, ' ') >= 0)
        return false;
    if (str_starts_nocase(rest, STR("content-")))
        return true;
    // A first part without fields: the next says what it is.
    rest = str_first(rest, LOOKED_AT);
    ssize_t at = str_find(rest, line);
    if (at < 1 || rest.p[at - 1] != '\n')
        return false;
    rest = str_from_pos(rest, (size_t)at + line.n);
    (void)str_skip_char(&rest, '\r');
    return str_skip_char(&rest, '\n') &&
           str_starts_nocase(rest, STR("content-"));
}

/* Without the fields that say how the body was written: it is not so. */
static void
add_header(struct buf *to, struct str header)
{
    struct field f;
    while (mime_next_field(&header, &f))
        if (!str_starts_nocase(f.name, STR("content-"))) {
            buf_add(to, f.whole);
            if (!str_ends(f.whole, STR("\n")))
                buf_add_char(to, '\n');
        }
}

struct str
undress_boundary(struct arena *a, struct str header, struct str text)
{
    struct str rest = text, line;
    for (unsigned n = 0; n < 200 && rest.n > 0; n++) {
        struct str at = rest;
        (void)str_cut(rest, '\n', &line, &rest);
        if (!is_boundary(line, rest)) {
            // Words about somebody, or a message, in front: it is that one's.
            if (str_find_char(line, '@') >= 0 ||
                str_starts_nocase(line, STR("content-")))
                break;
            continue;
        }
        struct str boundary = str_from_pos(str_trim(line), 2);
        struct buf out = {0};
        buf_add(&out, STR("Content-Type: multipart/mixed; boundary=\""));
        buf_add(&out, boundary);
        buf_add(&out, STR("\"\n"));
        add_header(&out, header);
        buf_add(&out, STR("\n"));
        buf_add(&out, str_first(text, text.n - at.n));
        buf_add(&out, at);
        struct str made = arena_dup(a, buf_str(&out));
        buf_fini(&out);
        return made;
    }
    return STR_EMPTY;
}

/* A line of nothing but dashes and their kind. */
static bool
is_rule(struct str line)
{
    for (size_t i = 0; i < line.n; i++)
        if (strchr("-_=*~", line.p[i]) == NULL)
            return false;
    return line.n >= 5;
}

static bool
is_forward_mark(struct str line)
{
    line = str_trim(line);
    bool ruled = str_starts(line, STR("--")) || str_starts(line, STR("__"));
    return (ruled &&
            (str_find_nocase(line, STR("forwarded message")) >= 0 ||
             str_find_nocase(line, STR("original message")) >= 0 ||
             str_find_nocase(line, STR("weitergeleitete nachricht")) >= 0 ||
             str_find_nocase(line, STR("message transféré")) >= 0)) ||
           str_starts_nocase(line, STR("begin forwarded message"));
}

struct str
undress_forwarded(struct arena *a, struct str text)
{
    struct str rest = text, line;
    for (unsigned n = 0; n < 500 && rest.n > 0; n++) {
        (void)str_cut(rest, '\n', &line, &rest);
        bool mark = is_forward_mark(line);
        if (!mark && !is_rule(str_trim(line)) &&
            !str_starts(line, STR("From MAILER-DAEMON")))
            continue;
        struct str inner = rest;
        while (inner.n > 0 && (inner.p[0] == '\n' || inner.p[0] == '\r'))
            inner = str_from_pos(inner, 1);
        inner = undress(a, inner);
        struct fields header = fields_of(inner);
        if (notice_has_header(inner) &&
            (mark || notice_speaks_of_delivery(a, &header)))
            return inner;
    }
    return STR_EMPTY;
}
