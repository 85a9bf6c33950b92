/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include "base/ascii.h"
#include "mail/header_internal.h"
#include "mail/mime_internal.h"

/* ---- fields -------------------------------------------------------------- */

static bool
is_mbox_line(struct str line)
{
    return str_starts(line, STR("From ")) || str_starts(line, STR(">From "));
}

/* Does a line at the front of s belong to the field before it? A fold that lost
 * its blank when somebody wrapped the text again does, too. */
static bool
goes_on(struct str s)
{
    struct str line = str_first(s, mime_line_length(s)), name;
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
    struct str line = str_first(*rest, n);
    if (mime_line_text(line).n == 0) {
        *rest = str_from_pos(*rest, n);
        return false;
    }
    if (!header_take_name(&line, &f->name))
        return false;
    while (n < rest->n && goes_on(str_from_pos(*rest, n)))
        n += mime_line_length(str_from_pos(*rest, n));
    f->whole = str_first(*rest, n);
    f->value = str_trim(str_from_n(line.p, n - (size_t)(line.p - rest->p)));
    *rest = str_from_pos(*rest, n);
    return true;
}

bool
mime_find(struct str header, struct str name, struct str *value)
{
    struct field f;
    while (mime_next_field(&header, &f)) {
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

/* Behind the "charset'language'" of RFC 2231, 4. */
static struct str
without_charset(struct str value)
{
    struct str head, tail, rest;
    if (str_cut(value, '\'', &head, &tail) && str_cut(tail, '\'', &head, &rest))
        return rest;
    return value;
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
        *value = extended ? without_charset(v) : v;
        found = true;
    }
    return found;
}
