/* SPDX-License-Identifier: ISC */
#include "proto/smtp/base64.h"

#include "base/ascii.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buf *to, struct str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t v = (uint32_t)p[i] << 16;
        v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= left > 2 ? p[i + 2] : 0;
        buf_add_char(to, alphabet[v >> 18]);
        buf_add_char(to, alphabet[v >> 12 & 63]);
        buf_add_char(to, left > 1 ? alphabet[v >> 6 & 63] : '=');
        buf_add_char(to, left > 2 ? alphabet[v & 63] : '=');
    }
}

/* Four characters, `pad` of them "=": the octets, or false. */
static bool
decode_group(struct buf *to, const char *p, size_t pad)
{
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++) {
        int bits = i < 4 - pad ? ascii_base64((unsigned char)p[i]) : 0;
        if (bits < 0)
            return false;
        v = v << 6 | (uint32_t)bits;
    }
    if ((v & ((1U << (8 * pad)) - 1)) != 0)
        return false;
    for (size_t i = 0; i < 3 - pad; i++)
        buf_add_char(to, (char)(unsigned char)(v >> (16 - 8 * i)));
    return true;
}

bool
base64_decode(struct buf *to, struct str text)
{
    size_t before = to->n;
    if (text.n % 4 != 0)
        return false;
    (void)buf_reserve(to, text.n); // secrets leave no copies behind by growing
    for (size_t i = 0; i < text.n; i += 4) {
        size_t pad = 0;
        if (i + 4 == text.n && text.p[i + 3] == '=')
            pad = text.p[i + 2] == '=' ? 2 : 1;
        if (!decode_group(to, text.p + i, pad)) {
            to->n = before;
            return false;
        }
    }
    return true;
}
