/* SPDX-License-Identifier: ISC */
/* A line with the name of a charset, then a text of it: UTF-8 comes out, also
 * where it stands in an encoded word. */
#include <assert.h>
#include <stdint.h>

#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/encoded.h"

static void
check_line(struct str value)
{
    struct buf line = {0};
    encoded_add_decoded(&line, value);
    assert(utf8_valid(buf_str(&line)));
    for (size_t i = 0; i < line.n; i++)
        assert((unsigned char)line.p[i] >= ' ' && line.p[i] != 127);
    buf_fini(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str name, text, input = str_from_n(data, n);
    struct buf out = {0}, word = {0};
    (void)str_cut(input, '\n', &name, &text);
    charset_to_utf8(&out, name, text);
    assert(utf8_valid(buf_str(&out)));
    assert(out.n <= 8 * text.n + 64);

    buf_add(&word, STR("x =?"));
    buf_add(&word, name);
    buf_add(&word, STR("?Q?"));
    buf_add(&word, text);
    buf_add(&word, STR("?="));
    check_line(buf_str(&word));
    check_line(input);
    buf_fini(&word);
    buf_fini(&out);
    return 0;
}
