/* SPDX-License-Identifier: ISC */
/* Any octets as a page: lines of UTF-8 come out, with no control in them, no
 * blank at their ends but in <pre>, and never more than an entity can make. */
#include <assert.h>
#include <stdint.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "mail/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf out = {0};
    struct str page = str_from_n(data, n), name = html_charset(page);
    assert(name.n == 0 || (name.p >= page.p && name.p + name.n <= page.p + n));
    html_to_text(&out, page);
    assert(utf8_valid(buf_str(&out)));
    assert(out.n <= 3 * n + 1);
    for (size_t i = 0; i < out.n; i++) {
        unsigned char c = (unsigned char)out.p[i];
        assert(c == '\n' || !ascii_is_control(c));
        assert(i < 2 || c != '\n' || out.p[i - 1] != '\n' ||
               out.p[i - 2] != '\n');
    }
    assert(out.n == 0 || out.p[out.n - 1] == '\n');
    buf_fini(&out);
    return 0;
}
