/* SPDX-License-Identifier: ISC */
#include "base/ascii.h"
#include "base/utf8.h"
#include "dsn/dsn_internal.h"

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
