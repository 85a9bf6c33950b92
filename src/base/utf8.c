/* SPDX-License-Identifier: ISC */
#include "base/utf8.h"

/* The second octet has the range that keeps out overlong forms, surrogates and
 * what lies beyond U+10FFFF (RFC 3629, 4). */
static const struct form {
    unsigned char first_from, first_to, second_from, second_to, octets;
} forms[] = {
    {0x00, 0x7F, 0,    0,    1},
    {0xC2, 0xDF, 0x80, 0xBF, 2},
    {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3},
    {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4},
    {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static bool
has_form(struct str s, const struct form *f)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (s.n < f->octets || p[0] < f->first_from || p[0] > f->first_to)
        return false;
    if (f->octets > 1 && (p[1] < f->second_from || p[1] > f->second_to))
        return false;
    for (size_t i = 2; i < f->octets; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return false;
    return true;
}

size_t
utf8_first(struct str s)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (has_form(s, &forms[i]))
            return forms[i].octets;
    return 0;
}

/* ASCII at the front of s, which is most of most texts: eight octets at once.
 */
static size_t
ascii_run(struct str s)
{
    size_t n = 0;
    uint64_t eight;
    for (; n + sizeof eight <= s.n; n += sizeof eight) {
        memcpy(&eight, s.p + n, sizeof eight);
        if ((eight & 0x8080808080808080U) != 0)
            break;
    }
    while (n < s.n && (unsigned char)s.p[n] < 0x80)
        n++;
    return n;
}

bool
utf8_valid(struct str s)
{
    for (;;) {
        s = str_from_pos(s, ascii_run(s));
        if (s.n == 0)
            return true;
        size_t n = utf8_first(s);
        if (n == 0)
            return false;
        s = str_from_pos(s, n);
    }
}

void
utf8_add_mended(struct buf *to, struct str s)
{
    for (;;) {
        size_t run = ascii_run(s);
        buf_add(to, str_first(s, run));
        s = str_from_pos(s, run);
        if (s.n == 0)
            return;
        size_t n = utf8_first(s);
        buf_add(to, n == 0 ? STR("\357\277\275") : str_first(s, n));
        s = str_from_pos(s, n == 0 ? 1 : n);
    }
}

void
utf8_add(struct buf *to, uint32_t c)
{
    char *p = buf_reserve(to, 4);
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        c = 0xFFFD;
    if (c < 0x80) {
        *p++ = (char)c;
    } else {
        unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
        *p++ = (char)(unsigned char)(first[more] | c >> (6 * more));
        while (more-- > 0)
            *p++ = (char)(unsigned char)(0x80 | ((c >> (6 * more)) & 0x3F));
    }
    to->n = (size_t)(p - to->p);
}

uint32_t
utf8_decode(struct str s, size_t *octets)
{
    static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    size_t n = utf8_first(s);
    *octets = n == 0 ? 1 : n;
    if (n == 0)
        return '?';
    uint32_t c = (unsigned char)s.p[0] & first_bits[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)s.p[i] & 0x3F);
    return c;
}
