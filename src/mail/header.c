/* SPDX-License-Identifier: ISC */
#include "mail/header.h"

#include "base/ascii.h"
#include "mail/header_internal.h"

/* Octets up to and with the first CRLF, or all of s. */
static size_t
line_length(struct str s)
{
    size_t n = 0;
    for (;;) {
        ssize_t at = str_find_char(str_from_pos(s, n), '\n');
        if (at < 0)
            return s.n;
        n += (size_t)at + 1;
        if (n > 1 && s.p[n - 2] == '\r')
            return n;
    }
}

/* ftext of RFC 5322, 3.6.8. */
static size_t
name_length(struct str s)
{
    size_t n = 0;
    while (n < s.n && (unsigned char)(s.p[n] - '!') <= '~' - '!' &&
           s.p[n] != ':')
        n++;
    return n;
}

bool
header_take_name(struct str *line, struct str *name)
{
    size_t n = name_length(*line), at = n;
    while (at < line->n && ascii_is_blank((unsigned char)line->p[at]))
        at++;
    if (n == 0 || at == line->n || line->p[at] != ':')
        return false;
    *name = str_first(*line, n);
    *line = str_from_pos(*line, at + 1);
    return true;
}

bool
header_next(struct str *rest, struct field *f)
{
    if (str_skip(rest, STR("\r\n")) || rest->n == 0)
        return false;
    size_t n = line_length(*rest);
    struct str line = str_first(*rest, n);
    if (!header_take_name(&line, &f->name))
        return false;
    while (n < rest->n && ascii_is_blank((unsigned char)rest->p[n]))
        n += line_length(str_from_pos(*rest, n));
    f->whole = str_first(*rest, n);
    f->value = str_trim(str_from_n(line.p, n - (size_t)(line.p - rest->p)));
    *rest = str_from_pos(*rest, n);
    return true;
}

struct str
header_of(struct str message, struct str *body)
{
    struct str rest = message, before = message;
    struct field f;
    while (header_next(&rest, &f))
        before = rest;
    if (body != NULL)
        *body = rest;
    return str_first(message, message.n - before.n);
}

bool
header_find(struct str message, struct str name, struct str *value)
{
    struct field f;
    while (header_next(&message, &f)) {
        if (!str_eq_nocase(f.name, name))
            continue;
        *value = f.value;
        return true;
    }
    return false;
}

static bool
is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' ||
           c == ';';
}

static bool
has_token(struct str value, struct str token)
{
    size_t start = 0;
    for (size_t i = 0; i <= value.n; i++) {
        if (i < value.n && !is_separator(value.p[i]))
            continue;
        if (i > start &&
            str_eq_nocase((struct str){value.p + start, i - start}, token))
            return true;
        start = i + 1;
    }
    return false;
}

bool
header_has_token(struct str message, struct str name, struct str token)
{
    struct field f;
    while (header_next(&message, &f))
        if (str_eq_nocase(f.name, name) && has_token(f.value, token))
            return true;
    return false;
}

void
header_unfold(struct buf *to, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (str_starts(str_from_pos(value, i), STR("\r\n"))) {
            i++;
            continue;
        }
        bool control = ascii_is_control((unsigned char)value.p[i]);
        buf_add(to, control ? STR(" ") : (struct str){value.p + i, 1});
    }
}

/* ---- addresses: RFC 5322, 3.4, as far as it is needed to find them ------- */

/* Octets of the quoted string, comment or literal that begins s: all of s when
 * it is not closed. Comments nest; a backslash quotes in each of them. */
static size_t
enclosed_length(struct str s, char open, char close)
{
    size_t depth = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\' && i + 1 < s.n)
            i++;
        else if (s.p[i] == close && (open != close || i > 0)) {
            if (open == close || --depth == 0)
                return i + 1;
        } else if (s.p[i] == open && (open == '(' || i == 0))
            depth++;
    }
    return s.n;
}

/* Octets of the token at the front: never 0 for a non-empty s. */
static size_t
token_length(struct str s)
{
    switch (s.p[0]) {
    case '"':
        return enclosed_length(s, '"', '"');
    case '(':
        return enclosed_length(s, '(', ')');
    case '[':
        return enclosed_length(s, '[', ']');
    default:
        return 1;
    }
}

/* Up to the ">": quoted strings may hold one. */
static size_t
angle_length(struct str s)
{
    size_t n = 1;
    while (n < s.n && s.p[n] != '>') {
        struct str rest = str_from_pos(s, n);
        n += rest.p[0] == '"' ? token_length(rest) : 1;
    }
    return n < s.n ? n + 1 : n;
}

/* "<" [ "@a,@b:" ] address ">" */
static struct str
inside_angle(struct str s)
{
    s = str_from_pos(s, 1);
    if (str_ends(s, STR(">")))
        s.n--;
    s = str_trim(s);
    ssize_t colon = s.n > 0 && s.p[0] == '@' ? str_find_char(s, ':') : -1;
    return colon < 0 ? s : str_trim(str_from_pos(s, (size_t)colon + 1));
}

static bool
is_blank_or_end(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What one element of the list has shown so far. */
struct element {
    struct str angle;        /* the address in <>, if there was one */
    const char *from, *upto; /* the first and behind the last token of others */
};

static void
see_token(struct element *e, struct str token)
{
    if (token.p[0] == '(' || is_blank_or_end(token.p[0]))
        return;
    if (e->from == NULL)
        e->from = token.p;
    e->upto = token.p + token.n;
}

/* Reads up to and with the comma or semicolon that ends an element. */
static struct element
take_element(struct str *value)
{
    struct element e = {0};
    while (value->n > 0) {
        char c = value->p[0];
        size_t n = c == '<' ? angle_length(*value) : token_length(*value);
        struct str token = str_first(*value, n);
        *value = str_from_pos(*value, n);
        if (c == ',' || c == ';')
            break;
        if (c == '<')
            e.angle = inside_angle(token);
        else if (c == ':') // a group's name went before
            e = (struct element){0};
        else
            see_token(&e, token);
    }
    return e;
}

bool
header_next_address(struct str *value, struct str *address)
{
    while (value->n > 0) {
        struct element e = take_element(value);
        *address = e.angle;
        if (e.angle.n == 0 && e.from != NULL)
            *address = str_from_n(e.from, (size_t)(e.upto - e.from));
        if (address->n > 0)
            return true;
    }
    return false;
}
