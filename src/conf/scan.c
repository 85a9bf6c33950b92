/* SPDX-License-Identifier: ISC */
#include "conf/scan.h"

#include "base/ascii.h"

struct scan {
    struct str rest;
    struct buf *to;
    uint32_t line;
    uint32_t open_line; /* of the outermost open brace */
    size_t depth;
    const char *what;
};

static unsigned char
peek(const struct scan *s, size_t at)
{
    return at < s->rest.n ? (unsigned char)s->rest.p[at] : 0;
}

/* Moves n octets over as they are, or as spaces. */
static void
move(struct scan *s, size_t n, bool blank)
{
    for (size_t i = 0; i < n && s->rest.n > 0; i++) {
        char c = s->rest.p[0];
        if (c == '\n')
            s->line++;
        if (blank && c != '\n')
            c = ' ';
        buf_add_char(s->to, c);
        s->rest = str_from_pos(s->rest, 1);
    }
}

static void
line_comment(struct scan *s)
{
    ssize_t end = str_find_char(s->rest, '\n');
    move(s, end < 0 ? s->rest.n : (size_t)end, true);
}

static void
block_comment(struct scan *s)
{
    ssize_t end = str_find(str_from_pos(s->rest, 2), STR("*/"));
    if (end < 0)
        s->what = "this comment has no end, expected */";
    else
        move(s, (size_t)end + 4, true);
}

static void
quoted(struct scan *s)
{
    unsigned char quote = peek(s, 0);
    size_t n = 1;

    for (;; n++) {
        unsigned char c = peek(s, n);
        if (c == '\\')
            c = peek(s, ++n);
        else if (c == quote)
            break;
        if (c == '\n' || n >= s->rest.n) {
            s->what = "a string without an end, expected a closing quote on "
                      "the same line";
            return;
        }
        if (c == '$' && peek(s, n + 1) == '{') {
            s->what = "${...} is not replaced here, expected the value itself";
            return;
        }
        if (ascii_is_control(c)) {
            s->what = "a control character in a string";
            return;
        }
    }
    move(s, n + 1, false);
}

static void
plain(struct scan *s)
{
    unsigned char c = peek(s, 0);

    if (c == '{' && s->depth++ == 0)
        s->open_line = s->line;
    if (c == '}' && s->depth > 0)
        s->depth--;
    if (c == '*')
        s->what = "* outside quotes, expected a string such as \"*:25\"";
    else if (c == '$' && peek(s, 1) == '{')
        s->what = "${...} is not replaced here, expected the value itself";
    else if (ascii_is_control(c) && c != '\n' && c != '\t' && c != '\r')
        s->what = "a control character";
    else
        move(s, 1, false);
}

struct scan_problem
scan_clean(struct str text, struct buf *to)
{
    struct scan s = {.rest = text, .to = to, .line = 1};

    (void)str_skip(&s.rest, STR("\xef\xbb\xbf")); // a byte order mark
    while (s.rest.n > 0 && s.what == NULL) {
        unsigned char c = peek(&s, 0);
        if (c == '#' || (c == '/' && peek(&s, 1) == '/'))
            line_comment(&s);
        else if (c == '/' && peek(&s, 1) == '*')
            block_comment(&s);
        else if (c == '"' || c == '\'')
            quoted(&s);
        else
            plain(&s);
    }
    if (!str_ends(buf_str(to), STR("\n")))
        buf_add_char(to, '\n');
    if (s.what == NULL && s.depth > 0) {
        s.line = s.open_line;
        s.what = "this { is never closed, expected }";
    }
    return (struct scan_problem){.line = s.line, .what = s.what};
}
