/* SPDX-License-Identifier: ISC */
#include "mail/quoted.h"

#include "base/ascii.h"

enum {
    LINE_LONGEST = 998, /* RFC 5322, 2.1.1 */
    QUOTED_LINE = 75    /* RFC 2045, 6.7: 76 with the "=" of a soft break */
};

static struct str
take_line(struct str *text)
{
    struct str line;
    (void)str_cut(*text, '\n', &line, text);
    if (str_ends(line, STR("\r")))
        line.n--;
    return line;
}

static bool
is_plain(unsigned char c)
{
    return c <= 127 && (!ascii_is_control(c) || c == '\t');
}

bool
quoted_needed(struct str text)
{
    while (text.n > 0) {
        struct str line = take_line(&text);
        if (line.n > LINE_LONGEST)
            return true;
        for (size_t i = 0; i < line.n; i++)
            if (!is_plain((unsigned char)line.p[i]))
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
quoted_add(struct buf *to, struct str text, bool quoted)
{
    while (text.n > 0) {
        struct str line = take_line(&text);
        if (quoted)
            add_quoted_line(to, line);
        else
            buf_add(to, line);
        buf_add(to, STR("\r\n"));
    }
}
