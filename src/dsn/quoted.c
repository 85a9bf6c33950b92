/* SPDX-License-Identifier: ISC */
#include "base/ascii.h"
#include "base/utf8.h"
#include "dsn/dsn_internal.h"

enum {
    LINE_LONGEST = 998, /* RFC 5322, 2.1.1 */
    QUOTED_LINE = 75    /* RFC 2045, 6.7: 76 with the "=" of a soft break */
};

bool
dsn_needs_quoting(struct str text)
{
    struct str line;
    while (text.n > 0) {
        (void)str_cut(text, '\n', &line, &text);
        if (line.n > LINE_LONGEST)
            return true;
        for (size_t i = 0; i < line.n; i++)
            if ((unsigned char)line.p[i] > 127)
                return true;
    }
    return false;
}

/* A blank at the end of a line would be lost on the way. */
static size_t
quote_octet(unsigned char c, bool last, char out[3])
{
    static const char hex[] = "0123456789ABCDEF";
    if ((c > ' ' && c <= '~' && c != '=') || (c == ' ' && !last)) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '=';
    out[1] = hex[c >> 4];
    out[2] = hex[c & 15];
    return 3;
}

static void
add_quoted_line(struct buf *to, struct str line)
{
    char code[3];
    size_t column = 0;
    for (size_t i = 0; i < line.n; i++) {
        size_t n = quote_octet((unsigned char)line.p[i], i + 1 == line.n, code);
        if (column + n > QUOTED_LINE) {
            buf_add(to, STR("=\r\n"));
            column = 0;
        }
        buf_add(to, str_from_n(code, n));
        column += n;
    }
}

void
dsn_add_quoted(struct buf *to, struct str text, bool quoted)
{
    struct str line;
    while (text.n > 0) {
        (void)str_cut(text, '\n', &line, &text);
        if (quoted)
            add_quoted_line(to, line);
        else
            buf_add(to, line);
        buf_add(to, STR("\r\n"));
    }
}

void
dsn_add_clean(struct buf *to, struct str s, bool utf8)
{
    while (s.n > 0) {
        size_t n = utf8_first(s);
        bool control = n == 1 && ascii_is_control((unsigned char)s.p[0]);
        if (n == 0 || (n > 1 && !utf8))
            buf_add_char(to, '?');
        else if (control)
            buf_add_char(to, ' ');
        else
            buf_add(to, str_first(s, n));
        s = str_from_pos(s, n == 0 ? 1 : n);
    }
}
