/* SPDX-License-Identifier: ISC */
/* HZ-GB-2312 (RFC 1843): GB 2312 in seven bits, between "~{" and "~}". */
#include "mail/charset_internal.h"

static bool
is_pair(struct str s)
{
    return s.n > 1 && s.p[0] > 0x20 && s.p[0] < 0x7E && s.p[1] > 0x20 &&
           s.p[1] < 0x7F;
}

/* Octets of the escape at the front, which is carried out; 0: it is none. */
static size_t
hz_escape(struct buf *to, struct str s, bool *chinese)
{
    if (s.p[0] == '\n') // a line whose "~}" got lost
        *chinese = false;
    if (s.n < 2 || s.p[0] != '~')
        return 0;
    switch (s.p[1]) {
    case '{':
    case '}':
        *chinese = s.p[1] == '{';
        return 2;
    case '~':
        buf_add_char(to, '~');
        return 2;
    case '\n': // a line that goes on
        return 2;
    default:
        return 0;
    }
}

void
hz_add_euc(struct buf *to, struct str text)
{
    bool chinese = false;
    while (text.n > 0) {
        size_t n = hz_escape(to, text, &chinese);
        if (n == 0) {
            n = chinese && is_pair(text) ? 2 : 1;
            for (size_t i = 0; i < n; i++)
                buf_add_char(to, n == 2 ? (char)(text.p[i] | 0x80) : text.p[i]);
        }
        text = str_from_pos(text, n);
    }
}
