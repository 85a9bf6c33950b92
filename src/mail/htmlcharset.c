/* SPDX-License-Identifier: ISC */
#include "mail/html.h"

#include "base/ascii.h"
#include "base/utf8.h"

enum { LOOKED_AT = 4096 };

static bool
is_space(char c)
{
    return ascii_is_blank((unsigned char)c) || c == '\r' || c == '\n' ||
           c == '\f';
}

static void
skip_spaces(struct str *s)
{
    while (s->n > 0 && is_space(s->p[0]))
        *s = str_from_pos(*s, 1);
}

/* The value behind "charset" and "=" in a tag: of an attribute, or of one that
 * is a content type. */
static struct str
tag_charset(struct str tag)
{
    for (;;) {
        ssize_t at = str_find_nocase(tag, STR("charset"));
        if (at < 0)
            return STR_EMPTY;
        tag = str_from_pos(tag, (size_t)at + STR("charset").n);
        skip_spaces(&tag);
        if (str_skip_char(&tag, '='))
            break;
    }
    size_t n = 0;
    skip_spaces(&tag);
    if (!str_skip_char(&tag, '"'))
        (void)str_skip_char(&tag, '\'');
    while (n < tag.n && !is_space(tag.p[n]) &&
           strchr("\"';/>", tag.p[n]) == NULL)
        n++;
    return str_first(tag, n);
}

/* From a "<" up to what ends it; *page is then behind the "<", or behind all of
 * a comment. false: there is none. */
static bool
next_tag(struct str *page, struct str *tag)
{
    ssize_t at = str_find_char(*page, '<');
    if (at < 0)
        return false;
    *page = str_from_pos(*page, (size_t)at);
    bool comment = str_starts(*page, STR("<!--"));
    ssize_t end =
        comment ? str_find(*page, STR("-->")) : str_find_char(*page, '>');
    *tag = str_first(*page, end < 0 ? page->n : (size_t)end);
    *page = str_from_pos(*page, comment ? tag->n : 1);
    return true;
}

static bool
is_seven_bit(struct str s)
{
    size_t n = 0;
    while (n < s.n && (unsigned char)s.p[n] < 0x80)
        n++;
    return n == s.n;
}

struct str
html_charset(struct str page)
{
    struct str rest = str_first(page, LOOKED_AT), tag, name = STR_EMPTY;
    while (name.n == 0 && next_tag(&rest, &tag))
        if (str_skip_nocase(&tag, STR("<meta")) && tag.n > 0 &&
            (is_space(tag.p[0]) || tag.p[0] == '/'))
            name = tag_charset(tag);
    if (str_starts_nocase(name, STR("utf-16")) ||
        str_starts_nocase(name, STR("utf-32")) ||
        (name.n > 0 && utf8_valid(page) && !is_seven_bit(page)))
        return STR_EMPTY;
    return name;
}
