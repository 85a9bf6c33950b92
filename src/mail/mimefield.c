/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include "base/ascii.h"
#include "mail/charset.h"
#include "mail/encoded.h"
#include "mail/header_internal.h"
#include "mail/mime_internal.h"

/* ---- fields -------------------------------------------------------------- */

static bool
is_mbox_line(struct str line)
{
    return str_starts(line, STR("From ")) || str_starts(line, STR(">From "));
}

/* Does this line belong to the field before it? A fold that lost its blank when
 * somebody wrapped the text again does, too. */
static bool
goes_on(struct str line)
{
    struct str name;
    if (line.n > 0 && ascii_is_blank((unsigned char)line.p[0]))
        return true;
    return mime_line_text(line).n > 0 && !is_mbox_line(line) &&
           !header_take_name(&line, &name);
}

bool
mime_next_field(struct str *rest, struct field *f)
{
    size_t n = mime_line_length(*rest);
    while (is_mbox_line(*rest)) {
        *rest = str_from_pos(*rest, n);
        n = mime_line_length(*rest);
    }
    struct str line = str_first(*rest, n), next;
    if (mime_line_text(line).n == 0) {
        *rest = str_from_pos(*rest, n);
        return false;
    }
    if (!header_take_name(&line, &f->name))
        return false;
    for (; n < rest->n; n += next.n) {
        next = str_from_pos(*rest, n);
        next = str_first(next, mime_line_length(next));
        if (!goes_on(next))
            break;
    }
    f->whole = str_first(*rest, n);
    f->value = str_trim(str_from_n(line.p, n - (size_t)(line.p - rest->p)));
    *rest = str_from_pos(*rest, n);
    return true;
}

bool
mime_next_field_of(struct str *rest, char letter, struct field *f)
{
    bool within = false; // behind a field's first line
    while (rest->n > 0) {
        struct str line = str_first(*rest, mime_line_length(*rest)), name;
        struct str here = line;
        bool sought = ascii_lower((unsigned char)line.p[0]) == letter;
        if (is_mbox_line(line)) {
            within = false;
        } else if (mime_line_text(line).n == 0) {
            *rest = str_from_pos(*rest, line.n);
            return false;
        } else if ((!within || sought) && header_take_name(&here, &name)) {
            if (sought)
                return mime_next_field(rest, f);
            within = true;
        } else if (!within) {
            return false;
        }
        *rest = str_from_pos(*rest, line.n);
    }
    return false;
}

bool
mime_find(struct str header, struct str name, struct str *value)
{
    struct field f;
    char letter = name.n > 0 ? (char)ascii_lower((unsigned char)name.p[0]) : 0;
    while (mime_next_field_of(&header, letter, &f)) {
        if (!str_eq_nocase(f.name, name))
            continue;
        *value = f.value;
        return true;
    }
    return false;
}

/* ---- parameters ---------------------------------------------------------- */

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Octets of the quoted string or comment at the front, all of s when it is
 * never closed. */
static size_t
closed_length(struct str s, char close)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == close)
            return i + 1;
    }
    return s.n;
}

/* What may stand between parameters. */
static void
skip_between(struct str *s)
{
    while (s->n > 0) {
        if (s->p[0] == '(')
            *s = str_from_pos(*s, closed_length(*s, ')'));
        else if (is_space(s->p[0]) || s->p[0] == ';' || s->p[0] == ',')
            *s = str_from_pos(*s, 1);
        else
            return;
    }
}

static void
skip_space(struct str *s)
{
    while (s->n > 0 && is_space(s->p[0]))
        *s = str_from_pos(*s, 1);
}

static struct str
take_until(struct str *s, const char *ends)
{
    size_t n = 0;
    while (n < s->n && (s->p[n] == '\0' || strchr(ends, s->p[n]) == NULL))
        n++;
    struct str taken = str_first(*s, n);
    *s = str_from_pos(*s, n);
    return taken;
}

/* A quoted string that is never closed ends with its line. */
static struct str
take_value(struct str *s)
{
    skip_space(s);
    if (s->n == 0 || s->p[0] != '"')
        return take_until(s, "; \t\r\n,");
    size_t n = closed_length(*s, '"');
    if (n > 1 && s->p[n - 1] == '"' && (n < s->n || s->p[n - 2] != '\\')) {
        struct str inside = {s->p + 1, n - 2};
        *s = str_from_pos(*s, n);
        return inside;
    }
    *s = str_from_pos(*s, 1);
    return str_trim(take_until(s, "\r\n"));
}

/* The next "name = value"; a name alone has an empty value. */
static bool
take_param(struct str *s, struct str *name, struct str *value)
{
    skip_between(s);
    if (s->n == 0)
        return false;
    *name = take_until(s, "=; \t\r\n,");
    *value = STR_EMPTY;
    skip_space(s);
    if (str_skip_char(s, '='))
        *value = take_value(s);
    return true;
}

/* RFC 2231, 4: "charset'language'" before the value. */
static struct str
take_charset(struct str *value)
{
    struct str charset, tail, language, rest;
    if (!str_cut(*value, '\'', &charset, &tail) ||
        !str_cut(tail, '\'', &language, &rest))
        return STR_EMPTY;
    *value = rest;
    return charset;
}

bool
mime_param(struct str params, struct str name, struct str *value)
{
    struct str got, v;
    bool found = false;
    while (take_param(&params, &got, &v)) {
        if (!str_skip_nocase(&got, name))
            continue;
        if (got.n == 0) { // the plain form is the surest
            *value = v;
            return true;
        }
        bool extended = str_eq(got, STR("*")) || str_eq(got, STR("*0*"));
        if (found || (!extended && !str_eq(got, STR("*0"))))
            continue;
        if (extended)
            (void)take_charset(&v);
        *value = v;
        found = true;
    }
    return found;
}

/* ---- parameters in pieces: RFC 2231 ---------------------------------------
 */

enum { PIECES_MOST = 64 };

struct piece {
    struct str value;
    bool said, extended;
};

/* "*2*" is 2 and extended, "*" alone 0. */
static bool
read_section(struct str s, uint64_t *number, bool *extended)
{
    if (str_eq(s, STR("*")))
        s = STR("*0*");
    *extended = str_ends(s, STR("*"));
    if (*extended)
        s.n--;
    return str_skip_char(&s, '*') && str_to_u64(s, number);
}

static void
add_percent(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        int high = i + 2 < s.n ? ascii_hex((unsigned char)s.p[i + 1]) : -1;
        int low = i + 2 < s.n ? ascii_hex((unsigned char)s.p[i + 2]) : -1;
        if (s.p[i] != '%' || high < 0 || low < 0) {
            buf_add_char(to, s.p[i]);
            continue;
        }
        buf_add_char(to, (char)(unsigned char)(high * 16 + low));
        i += 2;
    }
}

static void
add_pieces(struct buf *to, struct piece pieces[PIECES_MOST])
{
    struct buf octets = {0};
    struct str charset = STR_EMPTY;
    if (pieces[0].extended)
        charset = take_charset(&pieces[0].value);
    for (size_t i = 0; i < PIECES_MOST && pieces[i].said; i++)
        if (pieces[i].extended)
            add_percent(&octets, pieces[i].value);
        else
            buf_add(&octets, pieces[i].value);
    charset_to_utf8(to, charset, buf_str(&octets));
    buf_fini(&octets);
}

bool
mime_param_add(struct buf *to, struct str params, struct str name)
{
    struct piece pieces[PIECES_MOST] = {0};
    struct str got, value;
    uint64_t number;
    bool extended;
    while (take_param(&params, &got, &value)) {
        if (!str_skip_nocase(&got, name))
            continue;
        if (got.n == 0) {
            encoded_add_decoded(to, value);
            return true;
        }
        if (read_section(got, &number, &extended) && number < PIECES_MOST &&
            !pieces[number].said)
            pieces[number] = (struct piece){value, true, extended};
    }
    if (pieces[0].said)
        add_pieces(to, pieces);
    return pieces[0].said;
}
