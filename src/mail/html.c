/* SPDX-License-Identifier: ISC */
#include "mail/html.h"

#include <stdlib.h>

#include "base/ascii.h"
#include "base/math.h"
#include "base/utf8.h"
#include "mail/charset_internal.h"
#include "mail/html_internal.h"

enum { NAME_LONGEST = 12, ENTITY_LONGEST = 16 };

/* ---- the text ------------------------------------------------------------ */

struct page {
    struct buf *to;
    size_t from;     /* where ours begins in it */
    unsigned breaks; /* line ends owed before the next character */
    bool blank;      /* a blank owed */
    unsigned pre;    /* elements in which blanks stay, open now */
};

/* Before a character that is seen. */
static void
settle(struct page *p)
{
    bool first = p->to->n == p->from;
    if (p->breaks > 0 && !first)
        buf_add(p->to, str_first(STR("\n\n"), p->breaks));
    else if (p->blank && !first)
        buf_add_char(p->to, ' ');
    p->breaks = 0;
    p->blank = false;
}

/* Ends the line: n - 1 empty ones are seen behind it. */
static void
end_line(struct page *p, unsigned n)
{
    if (n > p->breaks)
        p->breaks = n;
    p->blank = false;
}

/* <br>, and a line end in <pre>: two of them show an empty line. */
static void
add_break(struct page *p)
{
    p->breaks++;
    p->blank = false;
}

static void
add_space(struct page *p, char c)
{
    if (p->pre == 0)
        p->blank = true;
    else if (c == '\n')
        add_break(p);
    else if (c != '\r') {
        settle(p);
        buf_add_char(p->to, ' ');
    }
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static void
add_character(struct page *p, uint32_t c)
{
    if (c == 0xAD || c == 0x200B || c == 0xFEFF) // not seen
        return;
    if (c == 0xA0 || (c > 0 && c < 0x20) || c == 0x7F) {
        add_space(p, c == '\n' ? '\n' : ' ');
        return;
    }
    settle(p);
    utf8_add(p->to, c);
}

/* ---- elements ------------------------------------------------------------ */

enum role {
    ROLE_INLINE = 0,
    ROLE_BREAK,  /* <br> */
    ROLE_BLOCK,  /* a line of its own */
    ROLE_SPACED, /* with an empty line before and behind */
    ROLE_CELL,
    ROLE_PRE,
    ROLE_HIDDEN, /* up to its end tag, which is found without reading tags */
};

/* Sorted. */
static const struct element {
    const char *name;
    enum role role;
} elements[] = {
    {"address",    ROLE_BLOCK },
    {"article",    ROLE_BLOCK },
    {"aside",      ROLE_BLOCK },
    {"blockquote", ROLE_SPACED},
    {"body",       ROLE_BLOCK },
    {"br",         ROLE_BREAK },
    {"caption",    ROLE_BLOCK },
    {"center",     ROLE_BLOCK },
    {"dd",         ROLE_BLOCK },
    {"details",    ROLE_BLOCK },
    {"dialog",     ROLE_BLOCK },
    {"dir",        ROLE_SPACED},
    {"div",        ROLE_BLOCK },
    {"dl",         ROLE_SPACED},
    {"dt",         ROLE_BLOCK },
    {"fieldset",   ROLE_BLOCK },
    {"figcaption", ROLE_BLOCK },
    {"figure",     ROLE_SPACED},
    {"footer",     ROLE_BLOCK },
    {"form",       ROLE_BLOCK },
    {"h1",         ROLE_SPACED},
    {"h2",         ROLE_SPACED},
    {"h3",         ROLE_SPACED},
    {"h4",         ROLE_SPACED},
    {"h5",         ROLE_SPACED},
    {"h6",         ROLE_SPACED},
    {"head",       ROLE_BLOCK },
    {"header",     ROLE_BLOCK },
    {"hr",         ROLE_BLOCK },
    {"html",       ROLE_BLOCK },
    {"legend",     ROLE_BLOCK },
    {"li",         ROLE_BLOCK },
    {"listing",    ROLE_PRE   },
    {"main",       ROLE_BLOCK },
    {"menu",       ROLE_SPACED},
    {"nav",        ROLE_BLOCK },
    {"ol",         ROLE_SPACED},
    {"option",     ROLE_BLOCK },
    {"p",          ROLE_SPACED},
    {"pre",        ROLE_PRE   },
    {"script",     ROLE_HIDDEN},
    {"section",    ROLE_BLOCK },
    {"style",      ROLE_HIDDEN},
    {"summary",    ROLE_BLOCK },
    {"table",      ROLE_BLOCK },
    {"tbody",      ROLE_BLOCK },
    {"td",         ROLE_CELL  },
    {"template",   ROLE_HIDDEN},
    {"textarea",   ROLE_PRE   },
    {"tfoot",      ROLE_BLOCK },
    {"th",         ROLE_CELL  },
    {"thead",      ROLE_BLOCK },
    {"title",      ROLE_HIDDEN},
    {"tr",         ROLE_BLOCK },
    {"ul",         ROLE_SPACED},
    {"xmp",        ROLE_PRE   },
};

static int
compare_element(const void *key, const void *entry)
{
    const struct str *name = key;
    const struct element *e = entry;
    // Most of what is asked about differs at once.
    int order = name->n == 0
                    ? -1
                    : (unsigned char)name->p[0] - (unsigned char)e->name[0];
    return order != 0 ? order : str_compare(*name, str_from(e->name));
}

static enum role
find_role(struct str name)
{
    char room[NAME_LONGEST];
    if (name.n > sizeof room)
        return ROLE_INLINE;
    for (size_t i = 0; i < name.n; i++)
        room[i] = (char)ascii_lower((unsigned char)name.p[i]);
    struct str key = str_from_n(room, name.n);
    const struct element *e =
        bsearch(&key, elements, sizeof elements / sizeof *elements,
                sizeof *elements, compare_element);
    return e == NULL ? ROLE_INLINE : e->role;
}

/* Steps over what a hidden element holds, up to its end tag; all of *s if that
 * never comes. */
static void
skip_hidden(struct str *s, struct str name)
{
    while (s->n > 0) {
        ssize_t at = str_find_char(*s, '<');
        *s = str_from_pos(*s, at < 0 ? s->n : (size_t)at);
        struct str tag = *s;
        if (str_skip(&tag, STR("</")) && str_skip_nocase(&tag, name) &&
            (tag.n == 0 || !ascii_is_alnum((unsigned char)tag.p[0])))
            return;
        *s = str_from_pos(*s, 1);
    }
}

static void
do_element(struct page *p, struct str name, bool end, struct str *s)
{
    enum role role = find_role(name);
    switch (role) {
    case ROLE_INLINE:
        return;
    case ROLE_BREAK:
        add_break(p);
        return;
    case ROLE_BLOCK:
        end_line(p, 1);
        return;
    case ROLE_SPACED:
        end_line(p, 2);
        return;
    case ROLE_CELL:
        p->blank = true;
        return;
    case ROLE_PRE:
        end_line(p, 2);
        if (!end)
            p->pre++;
        else if (p->pre > 0)
            p->pre--;
        return;
    case ROLE_HIDDEN:
        if (!end)
            skip_hidden(s, name);
        return;
    }
}

/* ---- tags ---------------------------------------------------------------- */

/* Octets up to and with the ">" that ends the tag, which attributes in quotes
 * may hold; a quote that is never closed is none. 0: the page ends before. */
static size_t
tag_length(struct str s)
{
    size_t i = 1;
    while (i < s.n && s.p[i] != '>') {
        if ((s.p[i] == '"' || s.p[i] == '\'') && s.p[i - 1] == '=') {
            ssize_t close = str_find_char(str_from_pos(s, i + 1), s.p[i]);
            i += close < 0 ? 0 : (size_t)close + 1;
        }
        i++;
    }
    return i < s.n ? i + 1 : 0;
}

/* "<!-- ... -->", "<!DOCTYPE ...>", "<?xml ...>": the octets. */
static size_t
comment_length(struct str s)
{
    if (!str_starts(s, STR("<!--"))) {
        ssize_t close = str_find_char(s, '>');
        return close < 0 ? s.n : (size_t)close + 1;
    }
    for (size_t i = 4; i < s.n;) {
        ssize_t at = str_find_char(str_from_pos(s, i), '>');
        if (at < 0)
            break;
        i += (size_t)at + 1;
        if (str_ends(str_first(s, i), STR("-->")) ||
            str_ends(str_first(s, i), STR("--!>")))
            return i;
    }
    return s.n;
}

static struct str
tag_name(struct str s)
{
    size_t n = 0;
    while (n < s.n && !is_space(s.p[n]) && s.p[n] != '>' && s.p[n] != '/' &&
           s.p[n] != '<')
        n++;
    return str_first(s, n);
}

/* false: the "<" at the front is one that is seen. "<a@b.example>" is no tag,
 * whatever a browser makes of it: it was text before somebody forgot that "<"
 * means something. */
static bool
take_tag(struct page *p, struct str *s)
{
    struct str inside = str_from_pos(*s, 1);
    bool end = str_skip_char(&inside, '/');
    if (!end && inside.n > 0 && (inside.p[0] == '!' || inside.p[0] == '?')) {
        *s = str_from_pos(*s, comment_length(*s));
        return true;
    }
    struct str name = tag_name(inside);
    if (name.n == 0 || !ascii_is_alpha((unsigned char)name.p[0]) ||
        str_find_char(name, '@') >= 0)
        return false;
    size_t n = tag_length(*s);
    *s = str_from_pos(*s, n == 0 ? s->n : n);
    do_element(p, name, end, s);
    return true;
}

/* ---- characters ---------------------------------------------------------- */

/* "&#64;" or "&#x40;": the value is capped, not wrapped. */
static size_t
take_number(struct str s, uint32_t *c)
{
    size_t n = 2;
    bool hex = n < s.n && (s.p[n] | 0x20) == 'x';
    n += hex;
    size_t digits = n;
    uint32_t base = hex ? 16 : 10, value = 0;
    for (; n < s.n; n++) {
        int digit = ascii_hex((unsigned char)s.p[n]);
        if (digit < 0 || (uint32_t)digit >= base)
            break;
        value = value > 0x10FFFF ? value : value * base + (uint32_t)digit;
    }
    if (n == digits)
        return 0;
    *c = value < 0x100 ? charset_windows((unsigned char)value) : value;
    return n < s.n && s.p[n] == ';' ? n + 1 : n;
}

/* Octets of the reference at the front; 0: it is none. */
static size_t
take_reference(struct str s, uint32_t *c)
{
    if (s.n > 1 && s.p[1] == '#')
        return take_number(s, c);
    size_t n = 1;
    while (n < s.n && n <= ENTITY_LONGEST &&
           ascii_is_alnum((unsigned char)s.p[n]))
        n++;
    *c = entity_find((struct str){s.p + 1, n - 1});
    if (*c == 0)
        return 0;
    return n < s.n && s.p[n] == ';' ? n + 1 : n;
}

/* Octets at the front that are seen as they are. */
static size_t
run_length(struct str s)
{
    size_t n = 0;
    while (n < s.n) {
        unsigned char c = (unsigned char)s.p[n];
        if (c <= ' ' || c == '<' || c == '&' || c >= 0x7F)
            break;
        n++;
    }
    return n;
}

/* One character above 127, or an octet that is none. */
static size_t
add_foreign(struct page *p, struct str s)
{
    static const struct str unseen[] = {
        {"\302\255",     2},
        {"\342\200\213", 3},
        {"\357\273\277", 3}
    };
    size_t n = utf8_first(s);
    if (n == 0) {
        add_character(p, 0xFFFD);
        return 1;
    }
    struct str c = str_first(s, n);
    for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
        if (str_eq(c, unseen[i]))
            return n;
    if (str_eq(c, STR("\302\240"))) {
        add_space(p, ' ');
        return n;
    }
    settle(p);
    buf_add(p->to, c);
    return n;
}

static size_t
add_text(struct page *p, struct str s)
{
    uint32_t c;
    size_t n = run_length(s);
    if (n > 0) {
        settle(p);
        buf_add(p->to, str_first(s, n));
        return n;
    }
    if (s.p[0] == '&' && (n = take_reference(s, &c)) > 0) {
        add_character(p, c);
        return n;
    }
    if ((unsigned char)s.p[0] >= 0x80)
        return add_foreign(p, s);
    if (s.p[0] == '<' || s.p[0] == '&') {
        settle(p);
        buf_add_char(p->to, s.p[0]);
    } else {
        add_space(p, s.p[0]);
    }
    return 1;
}

void
html_to_text(struct buf *to, struct str page)
{
    struct page p = {.to = to, .from = to->n};
    while (page.n > 0)
        if (page.p[0] != '<' || !take_tag(&p, &page))
            page = str_from_pos(page, add_text(&p, page));
    if (to->n > p.from)
        buf_add_char(to, '\n');
}
