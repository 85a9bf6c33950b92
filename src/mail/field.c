/* SPDX-License-Identifier: ISC */
#include "mail/field.h"

#include "base/ascii.h"
#include "base/math.h"
#include "base/utf8.h"

enum {
    FOLD_AT = 78,
    ENCODED_TEXT = 63,  /* of an encoded word of 75 octets (RFC 2047, 2) */
    WORD_LONGEST = 900, /* what no fold can cut is cut here */
    BLANKS_LONGEST = 60 /* between two words */
};

bool
field_is_ascii(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] > 127)
            return false;
    return true;
}

/* What may stand for itself in an encoded word of a phrase (RFC 2047, 5.3). */
static bool
is_plain(unsigned char c)
{
    return ascii_is_alnum(c) || c == '!' || c == '*' || c == '+' || c == '-' ||
           c == '/';
}

/* One character in Q encoding into out; its octets there. */
static size_t
encode_character(struct str c, char out[12])
{
    static const char hex[] = "0123456789ABCDEF";
    if (c.n == 1 && (is_plain((unsigned char)c.p[0]) || c.p[0] == ' ')) {
        out[0] = c.p[0];
        if (out[0] == ' ')
            out[0] = '_';
        return 1;
    }
    for (size_t i = 0; i < c.n; i++) {
        out[3 * i] = '=';
        out[3 * i + 1] = hex[(unsigned char)c.p[i] >> 4];
        out[3 * i + 2] = hex[(unsigned char)c.p[i] & 15];
    }
    return 3 * c.n;
}

/* One encoded word with as much of *text (valid UTF-8) as it can hold. */
static void
add_encoded_word(struct buf *to, struct str *text)
{
    char code[12];
    size_t used = 0;
    buf_add(to, STR("=?UTF-8?Q?"));
    while (text->n > 0) {
        struct str c = str_first(*text, math_max(utf8_first(*text), 1));
        size_t n = encode_character(c, code);
        if (used + n > ENCODED_TEXT)
            break;
        buf_add(to, str_from_n(code, n));
        used += n;
        *text = str_from_pos(*text, c.n);
    }
    buf_add(to, STR("?="));
}

/* UTF-8 without controls. */
static void
add_clean(struct buf *to, struct str s)
{
    size_t start = to->n;
    utf8_add_mended(to, s);
    for (size_t i = start; i < to->n; i++)
        if (ascii_is_control((unsigned char)to->p[i]))
            to->p[i] = ' ';
}

void
field_add_encoded(struct buf *to, struct str text)
{
    struct buf clean = {0};
    add_clean(&clean, text);
    struct str rest = buf_str(&clean);
    while (rest.n > 0) {
        add_encoded_word(to, &rest);
        if (rest.n > 0)
            buf_add_char(to, ' ');
    }
    buf_fini(&clean);
}

void
field_add_quoted(struct buf *to, struct str text)
{
    buf_add_char(to, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buf_add_char(to, '\\');
        buf_add_char(to, text.p[i]);
    }
    buf_add_char(to, '"');
}

/* Folds before the blanks when the word would stand out. *line: where the
 * line begins in to. */
static void
add_word(struct buf *to, size_t *line, size_t blanks, struct str word)
{
    do {
        struct str piece = str_first(word, WORD_LONGEST);
        bool first =
            str_find_char(str_from_n(to->p + *line, to->n - *line), ' ') < 0;
        if (!first && to->n - *line + blanks + piece.n > FOLD_AT) {
            buf_add(to, STR("\r\n"));
            *line = to->n;
        }
        for (size_t i = 0; i < blanks; i++)
            buf_add_char(to, ' ');
        buf_add(to, piece);
        word = str_from_pos(word, piece.n);
    } while (word.n > 0);
}

static size_t
count_blanks(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] == ' ')
        n++;
    return n;
}

/* Octets up to the next blank. */
static struct str
word_at(struct str s)
{
    ssize_t at = str_find_char(s, ' ');
    return at < 0 ? s : str_first(s, (size_t)at);
}

/* Octets from the first to the last of a run of words that are not ASCII. */
static size_t
foreign_run(struct str s)
{
    size_t n = 0;
    for (;;) {
        size_t blanks = count_blanks(str_from_pos(s, n));
        struct str word = word_at(str_from_pos(s, n + blanks));
        if (word.n == 0 || field_is_ascii(word))
            return n;
        n += blanks + word.n;
    }
}

void
field_add(struct buf *to, struct str name, struct str value)
{
    struct buf clean = {0};
    size_t line = to->n;

    buf_add(to, name);
    buf_add_char(to, ':');
    add_clean(&clean, str_trim(value));
    struct str rest = str_trim(buf_str(&clean));
    bool first = true;
    while (rest.n > 0) {
        size_t blanks = count_blanks(rest);
        rest = str_from_pos(rest, blanks);
        if (first)
            blanks = 1;
        first = false;
        blanks = math_min(blanks, BLANKS_LONGEST);
        struct str run = str_first(rest, foreign_run(rest));
        if (run.n == 0) {
            struct str word = word_at(rest);
            add_word(to, &line, blanks, word);
            rest = str_from_pos(rest, word.n);
            continue;
        }
        rest = str_from_pos(rest, run.n);
        while (run.n > 0) {
            struct buf word = {0};
            add_encoded_word(&word, &run);
            add_word(to, &line, blanks, buf_str(&word));
            buf_fini(&word);
            blanks = 1;
        }
    }
    buf_add(to, STR("\r\n"));
    buf_fini(&clean);
}
