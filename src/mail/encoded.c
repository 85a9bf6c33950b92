/* SPDX-License-Identifier: ISC */
#include "mail/encoded.h"

#include "base/ascii.h"
#include "mail/charset.h"
#include "mail/mime.h"

enum { CHARSET_LONGEST = 60 };

struct word {
    struct str charset, text;
    bool base64;
};

/* "=?" charset [ "*" language ] "?" encoding "?" text "?=" (RFC 2047, 2; RFC
 * 2231, 5) at the front of s; its length, 0: there is none. The text may hold
 * blanks, which the RFC forbids and people see, but not the beginning of
 * another: so none is read twice. */
static size_t
word_length(struct str s, struct word *w)
{
    if (!str_starts(s, STR("=?")))
        return 0;
    ssize_t mark =
        str_find_char(str_first(str_from_pos(s, 2), CHARSET_LONGEST), '?');
    if (mark <= 0 || (size_t)mark + 5 > s.n || s.p[mark + 4] != '?')
        return 0;
    char encoding = (char)ascii_lower((unsigned char)s.p[mark + 3]);
    if (encoding != 'b' && encoding != 'q')
        return 0;
    struct str language, name = {s.p + 2, (size_t)mark};
    (void)str_cut(name, '*', &w->charset, &language);
    w->base64 = encoding == 'b';
    size_t from = (size_t)mark + 5;
    for (size_t i = from; i + 1 < s.n; i++) {
        if (s.p[i] == '?' && s.p[i + 1] == '=') {
            w->text = (struct str){s.p + from, i - from};
            return i + 2;
        }
        if (s.p[i] == '=' && s.p[i + 1] == '?' &&
            (i + 2 == s.n || s.p[i + 2] != '='))
            break;
    }
    return 0;
}

/* The Q encoding, RFC 2047, 4.2. */
static void
decode_q(struct buf *to, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i] == '_' ? ' ' : text.p[i];
        if (c == '=' && i + 2 < text.n) {
            int high = ascii_hex((unsigned char)text.p[i + 1]);
            int low = ascii_hex((unsigned char)text.p[i + 2]);
            if (high >= 0 && low >= 0) {
                c = (char)(unsigned char)(high * 16 + low);
                i += 2;
            }
        }
        buf_add_char(to, c);
    }
}

/* Words next to each other, not converted yet: a character may begin in one
 * and end in the next. */
struct run {
    struct buf octets;
    struct str charset;
    bool open; /* a word was added since the last flush */
};

static void
run_flush(struct buf *to, struct run *r)
{
    if (r->octets.n > 0)
        charset_to_utf8(to, r->charset, buf_str(&r->octets));
    buf_clear(&r->octets);
    r->open = false;
}

static void
run_add(struct buf *to, struct run *r, const struct word *w)
{
    if (!str_eq_nocase(r->charset, w->charset))
        run_flush(to, r);
    r->charset = w->charset;
    r->open = true;
    if (w->base64)
        mime_decode(&r->octets, MIME_BASE64, w->text, SIZE_MAX);
    else
        decode_q(&r->octets, w->text);
}

static bool
all_blank(struct str s)
{
    return str_trim(s).n == 0;
}

static bool
is_printable(unsigned char c)
{
    return c >= ' ' && c < 127;
}

/* Controls, those of ISO 6429's upper half too, become blanks; line ends before
 * a blank are a fold and go. */
static void
clean_line(struct buf *to, size_t from)
{
    size_t put = from;
    while (put < to->n && is_printable((unsigned char)to->p[put]))
        put++;
    for (size_t i = put; i < to->n; i++) {
        unsigned char c = (unsigned char)to->p[i];
        unsigned char next = i + 1 < to->n ? (unsigned char)to->p[i + 1] : 0;
        if (c == 0xC2 && next < 0xA0) {
            c = ' ';
            i++;
        } else if (ascii_is_control(c)) {
            c = ' ';
        }
        to->p[put++] = (char)c;
    }
    to->n = put;
}

static void
add_unfolded(struct buf *to, struct str value)
{
    while (value.n > 0) {
        ssize_t at = str_find_char(value, '\n');
        size_t n = at < 0 ? value.n : (size_t)at;
        struct str line = str_first(value, n);
        value = str_from_pos(value, n + 1);
        if (at >= 0 && line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        buf_add(to, line);
        // a line end that is no fold is a control, which clean_line() makes a
        // blank of
        if (value.n > 0 && !ascii_is_blank((unsigned char)value.p[0]))
            buf_add_char(to, '\n');
    }
}

static void
decode_words(struct buf *to, struct str s)
{
    struct run run = {0};
    struct word w;
    size_t plain = 0, i = 0;
    while (i < s.n) {
        ssize_t at = str_find_char(str_from_pos(s, i), '=');
        if (at < 0)
            break;
        i += (size_t)at;
        size_t n = word_length(str_from_pos(s, i), &w);
        if (n == 0) {
            i++;
            continue;
        }
        struct str between = {s.p + plain, i - plain};
        if (!run.open || !all_blank(between)) {
            run_flush(to, &run);
            charset_to_utf8(to, STR_EMPTY, between);
        }
        run_add(to, &run, &w);
        i += n;
        plain = i;
    }
    run_flush(to, &run);
    charset_to_utf8(to, STR_EMPTY, str_from_pos(s, plain));
    buf_fini(&run.octets);
}

void
encoded_add_decoded(struct buf *to, struct str value)
{
    size_t from = to->n;
    struct buf line = {0};
    value = str_trim(value);
    if (str_find_char(value, '=') < 0 && str_find_char(value, '\n') < 0) {
        charset_to_utf8(to, STR_EMPTY, value);
        clean_line(to, from);
        return;
    }
    add_unfolded(&line, value);
    decode_words(to, buf_str(&line));
    buf_fini(&line);
    clean_line(to, from);
}
