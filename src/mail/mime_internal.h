/* SPDX-License-Identifier: ISC */
/* Lines as mail has them that went through many hands, for the files of
 * mime.h. */
#pragma once

#include "base/str.h"

/* Octets up to and with the first LF, or all of s. */
static inline size_t
mime_line_length(struct str s)
{
    ssize_t at = str_find_char(s, '\n');
    return at < 0 ? s.n : (size_t)at + 1;
}

/* The line without its LF, CRLF or CRCRLF. */
static inline struct str
mime_line_text(struct str line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\n')
        line.n--;
    while (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* The line at the front, without its end; *rest is behind it. */
static inline struct str
mime_take_line(struct str *rest)
{
    struct str line = str_first(*rest, mime_line_length(*rest));
    *rest = str_from_pos(*rest, line.n);
    return mime_line_text(line);
}
