/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include "base/ascii.h"
#include "base/math.h"
#include "mail/mime_internal.h"

/* Octets that may still be written. */
struct sink {
    struct buf *to;
    size_t left;
};

static void
sink_add(struct sink *s, struct str octets)
{
    octets = str_first(octets, s->left);
    buf_add(s->to, octets);
    s->left -= octets.n;
}

/* ---- quoted-printable: RFC 2045, 6.7 ------------------------------------- */

/* One line without its end. true: its end belongs to it. */
static bool
decode_quoted_line(struct sink *s, struct str line)
{
    while (line.n > 0 && ascii_is_blank((unsigned char)line.p[line.n - 1]))
        line.n--;
    for (;;) {
        struct str plain, code;
        bool more = str_cut(line, '=', &plain, &code);
        sink_add(s, plain);
        if (!more)
            return true;
        if (code.n == 0)
            return false; // a soft line break
        int high = ascii_hex((unsigned char)code.p[0]);
        int low = code.n > 1 ? ascii_hex((unsigned char)code.p[1]) : -1;
        if (high >= 0 && low >= 0) {
            char octet = (char)(unsigned char)(high * 16 + low);
            sink_add(s, str_from_n(&octet, 1));
            code = str_from_pos(code, 2);
        } else {
            sink_add(s, STR("="));
        }
        line = code;
    }
}

static void
decode_quoted(struct sink *s, struct str body)
{
    while (body.n > 0 && s->left > 0) {
        size_t n = mime_line_length(body);
        struct str whole = str_first(body, n), line = mime_line_text(whole);
        if (decode_quoted_line(s, line))
            sink_add(s, str_from_pos(whole, line.n));
        body = str_from_pos(body, n);
    }
}

/* ---- base64: RFC 2045, 6.8 ----------------------------------------------- */

struct base64 {
    uint32_t bits;
    unsigned n;     /* characters in bits, 0 to 3 */
    size_t longest; /* characters of a line so far */
    bool over;      /* a padded or shorter line came: the last one, usually */
};

/* The octets of an incomplete quantum. */
static void
flush_quantum(struct sink *s, struct base64 *b)
{
    uint32_t bits = b->bits << (6 * (4 - b->n));
    char octets[2] = {(char)(unsigned char)(bits >> 16),
                      (char)(unsigned char)(bits >> 8)};
    if (b->n > 1)
        sink_add(s, str_from_n(octets, b->n - 1));
    b->bits = b->n = 0;
}

/* How a line counts: characters of the alphabet, and whether others that are
 * no padding stand between them. */
static size_t
count_base64(struct str line, bool *pure)
{
    size_t n = 0;
    *pure = true;
    for (size_t i = 0; i < line.n; i++) {
        if (ascii_base64((unsigned char)line.p[i]) >= 0)
            n++;
        else if (line.p[i] != '=')
            *pure = false;
    }
    return n;
}

static void
decode_base64_line(struct sink *s, struct base64 *b, struct str line)
{
    unsigned char *to = (unsigned char *)buf_reserve(s->to, line.n / 4 * 3 + 3);
    size_t made = 0;
    for (size_t i = 0; i < line.n; i++) {
        int v = ascii_base64((unsigned char)line.p[i]);
        if (v < 0) {
            if (line.p[i] != '=' || b->n == 0)
                continue;
            size_t fits = math_min(made, s->left);
            s->to->n += fits;
            s->left -= fits;
            flush_quantum(s, b);
            b->over = true;
            to = (unsigned char *)buf_reserve(s->to, (line.n - i) / 4 * 3 + 3);
            made = 0;
            continue;
        }
        b->bits = b->bits << 6 | (uint32_t)v;
        if (++b->n < 4)
            continue;
        to[made++] = (unsigned char)(b->bits >> 16);
        to[made++] = (unsigned char)(b->bits >> 8);
        to[made++] = (unsigned char)b->bits;
        b->bits = b->n = 0;
    }
    size_t fits = math_min(made, s->left);
    s->to->n += fits;
    s->left -= fits;
}

/* Lists and scanners put their footers behind the last line as plain text. */
static void
decode_base64(struct sink *s, struct str body)
{
    struct base64 b = {0};
    while (body.n > 0 && s->left > 0) {
        struct str line = str_trim(mime_take_line(&body));
        bool pure;
        size_t n = count_base64(line, &pure);
        if (line.n == 0)
            continue;
        if (b.over && !pure)
            break;
        if (n < b.longest)
            b.over = true;
        b.longest = math_max(b.longest, n);
        decode_base64_line(s, &b, line);
    }
    flush_quantum(s, &b);
}

/* ---- uuencode ------------------------------------------------------------ */

static unsigned
uu_value(struct str line, size_t at)
{
    return at < line.n ? ((unsigned char)line.p[at] - 32U) & 63U : 0;
}

/* false: not a line of data. Blanks at its end may have been cut off. */
static bool
decode_uu_line(struct sink *s, struct str line)
{
    size_t n = uu_value(line, 0), at = 1;
    if (n == 0 || line.n > (n + 2) / 3 * 4 + 2)
        return false;
    for (; n > 0; at += 4) {
        unsigned bits = uu_value(line, at) << 18 |
                        uu_value(line, at + 1) << 12 |
                        uu_value(line, at + 2) << 6 | uu_value(line, at + 3);
        char octets[3] = {(char)(unsigned char)(bits >> 16),
                          (char)(unsigned char)(bits >> 8),
                          (char)(unsigned char)bits};
        size_t here = math_min(n, 3);
        sink_add(s, str_from_n(octets, here));
        n -= here;
    }
    return true;
}

/* Without a "begin" line all lines are taken that can be data. */
static void
decode_uu(struct sink *s, struct str body)
{
    struct str rest = body;
    while (rest.n > 0)
        if (str_starts(mime_take_line(&rest), STR("begin ")))
            break;
    if (rest.n == 0)
        rest = body;
    while (rest.n > 0 && s->left > 0) {
        struct str line = mime_take_line(&rest);
        if (str_eq(line, STR("end")))
            return;
        if (line.n > 0)
            (void)decode_uu_line(s, line);
    }
}

void
mime_decode(struct buf *to, enum mime_encoding e, struct str body,
            size_t longest)
{
    struct sink s = {to, longest};
    switch (e) {
    case MIME_QUOTED_PRINTABLE:
        decode_quoted(&s, body);
        return;
    case MIME_BASE64:
        decode_base64(&s, body);
        return;
    case MIME_UUENCODE:
        decode_uu(&s, body);
        return;
    case MIME_IDENTITY:
        break;
    }
    sink_add(&s, body);
}
