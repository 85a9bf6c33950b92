/* SPDX-License-Identifier: ISC */
#include "catalogue/words.h"

#include <string.h>

#include "base/ascii.h"

static bool
take_number(struct str *s, size_t longest)
{
    size_t n = 0;
    while (n < s->n && n < longest && ascii_is_digit((unsigned char)s->p[n]))
        n++;
    *s = str_from_pos(*s, n);
    return n > 0;
}

/* "5.1.1", "#5.1.1", "(#5.1.1)", with a point or colon behind it: every way in
 * which an enhanced code stands among the words. */
static bool
is_status(struct str word)
{
    (void)str_skip_char(&word, '(');
    (void)str_skip_char(&word, '#');
    if (word.n == 0 ||
        (word.p[0] != '2' && word.p[0] != '4' && word.p[0] != '5'))
        return false;
    if (!take_number(&word, 1) || !str_skip_char(&word, '.') ||
        !take_number(&word, 3) || !str_skip_char(&word, '.') ||
        !take_number(&word, 3))
        return false;
    (void)str_skip_char(&word, ')');
    if (!str_skip_char(&word, ':'))
        (void)str_skip_char(&word, '.');
    return word.n == 0;
}

/* Steps over "553 " or "553-"; 0: there is none. */
static uint16_t
take_code(struct str *line)
{
    const char *p = line->p;
    if (line->n < 3 || p[0] < '2' || p[0] > '5' ||
        !ascii_is_digit((unsigned char)p[1]) ||
        !ascii_is_digit((unsigned char)p[2]))
        return 0;
    if (line->n > 3 && p[3] != ' ' && p[3] != '-')
        return 0;
    uint16_t code =
        (uint16_t)((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
    *line = str_from_pos(*line, 4);
    return code;
}

/* Octets of the blank at the front: ASCII's, the no-break, the ideographic and
 * the one without width. */
static size_t
blank(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (s.n == 0)
        return 0;
    if (p[0] <= ' ' || p[0] == 0x7f)
        return 1;
    if (s.n >= 2 && p[0] == 0xc2 && p[1] == 0xa0)
        return 2;
    if (s.n >= 3 && ((p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80) ||
                     (p[0] == 0xe2 && p[1] == 0x80 && p[2] == 0x8b)))
        return 3;
    return 0;
}

/* Of a script that is written without blanks, by its first octet: a line end
 * between two such characters is none in the text. */
static bool
is_wide(unsigned char c)
{
    return (c >= 0xe3 && c <= 0xe9) || c == 0xef;
}

/* Lower case of a character of two octets: Latin-1, Latin Extended-A, Greek
 * without accents, Cyrillic. */
static unsigned
fold_two(unsigned c)
{
    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) ||
        (c >= 0x410 && c <= 0x42f))
        return c + 32;
    if (c >= 0x400 && c <= 0x40f)
        return c + 80;
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
        return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
        return c + c % 2;
    return c;
}

/* The quotes and hyphens of prose (U+2010, U+2011, U+2018 to U+201F). */
static char
plain_sign(unsigned char last)
{
    if (last >= 0x98 && last <= 0x9b)
        return '\'';
    if (last >= 0x9c && last <= 0x9f)
        return '"';
    return last == 0x90 || last == 0x91 ? '-' : '\0';
}

/* Appends the character at the front of s; its octets. Never more than it
 * reads, so what was read of at most WORDS_LONGEST has room. */
static size_t
add_character(struct words *w, struct str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (s.n >= 2 && p[0] >= 0xc3 && p[0] <= 0xd1 && (p[1] & 0xc0) == 0x80) {
        unsigned c = fold_two((unsigned)(p[0] & 0x1f) << 6 | (p[1] & 0x3f));
        w->at[w->n] = w->at[w->n + 1] = (uint16_t)at;
        w->text[w->n++] = (char)(0xc0 | c >> 6);
        w->text[w->n++] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    w->at[w->n] = (uint16_t)at;
    if (s.n >= 3 && p[0] == 0xe2 && p[1] == 0x80 && plain_sign(p[2]) != '\0') {
        w->text[w->n++] = plain_sign(p[2]);
        return 3;
    }
    w->text[w->n++] = (char)ascii_lower(p[0]);
    return 1;
}

/* The last character's first octet. */
static unsigned char
last_lead(const struct words *w)
{
    size_t i = w->n;
    while (i > 0 && ((unsigned char)w->text[i - 1] & 0xc0) == 0x80)
        i--;
    return i > 0 ? (unsigned char)w->text[i - 1] : 0;
}

/* Words that say nothing and are dropped, and those that say the same as a
 * shorter one: "could not be found", "isn't found" and "was not found" are one.
 * Sorted; tools/catalogue.py has the same. */
static const struct {
    struct str word, becomes;
} plain_words[] = {
    {{"a", 1},        {"", 0}      },
    {{"an", 2},       {"", 0}      },
    {{"are", 3},      {"", 0}      },
    {{"aren't", 6},   {"not", 3}   },
    {{"be", 2},       {"", 0}      },
    {{"been", 4},     {"", 0}      },
    {{"being", 5},    {"", 0}      },
    {{"can", 3},      {"", 0}      },
    {{"can't", 5},    {"not", 3}   },
    {{"cannot", 6},   {"not", 3}   },
    {{"could", 5},    {"", 0}      },
    {{"couldn't", 8}, {"not", 3}   },
    {{"did", 3},      {"", 0}      },
    {{"didn't", 6},   {"not", 3}   },
    {{"do", 2},       {"", 0}      },
    {{"does", 4},     {"", 0}      },
    {{"doesn't", 7},  {"not", 3}   },
    {{"don't", 5},    {"not", 3}   },
    {{"e-mail", 6},   {"email", 5} },
    {{"e-mails", 7},  {"emails", 6}},
    {{"had", 3},      {"", 0}      },
    {{"has", 3},      {"", 0}      },
    {{"hasn't", 6},   {"not", 3}   },
    {{"have", 4},     {"", 0}      },
    {{"haven't", 7},  {"not", 3}   },
    {{"is", 2},       {"", 0}      },
    {{"isn't", 5},    {"not", 3}   },
    {{"that", 4},     {"", 0}      },
    {{"the", 3},      {"", 0}      },
    {{"these", 5},    {"", 0}      },
    {{"this", 4},     {"", 0}      },
    {{"was", 3},      {"", 0}      },
    {{"wasn't", 6},   {"not", 3}   },
    {{"were", 4},     {"", 0}      },
    {{"will", 4},     {"", 0}      },
    {{"won't", 5},    {"not", 3}   },
    {{"would", 5},    {"", 0}      },
    {{"wouldn't", 8}, {"not", 3}   },
};

/* What the word at the end of w, from `first`, becomes: it never grows. */
static void
make_plain(struct words *w, size_t first)
{
    struct str word = str_from_n(w->text + first, w->n - first);
    size_t low = 0, high = sizeof plain_words / sizeof *plain_words;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(plain_words[middle].word, word);
        if (order == 0) {
            struct str s = plain_words[middle].becomes;
            memcpy(w->text + first, s.p, s.n);
            w->n = first + s.n;
            return;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
}

static void
add_word(struct words *w, struct str word, size_t at)
{
    size_t before = w->n;
    if (word.n == 0 || is_status(word))
        return;
    if (w->n > 0 &&
        !(is_wide((unsigned char)word.p[0]) && is_wide(last_lead(w)))) {
        w->at[w->n] = (uint16_t)at;
        w->text[w->n++] = ' ';
    }
    size_t first = w->n;
    for (size_t i = 0, n; i < word.n; i += n)
        n = add_character(w, str_from_pos(word, i), at + i);
    if (word.n <= sizeof "wouldn\u2019t")
        make_plain(w, first);
    if (w->n == first)
        w->n = before;
}

/* Postfix joins the lines of a reply, codes and all: "550-5.1.1 no 550 5.1.1
 * such user". Steps over the code of such a line; code: the reply's. */
static void
skip_joined_code(struct str *word, struct str rest, uint16_t code)
{
    struct str s = *word, next;
    uint16_t c = take_code(&s);
    if (c == 0)
        return;
    if (s.n == 0 && word->n == 3) {
        (void)str_cut(rest, ' ', &next, &rest);
        if (c == code || is_status(next))
            *word = STR_EMPTY;
    } else if (c == code || is_status(s)) {
        *word = s;
    }
}

static void
add_line(struct words *w, struct str line, const char *start)
{
    while (line.n > 0) {
        size_t end = 0, n = blank(line);
        if (n > 0) {
            line = str_from_pos(line, n);
            continue;
        }
        while (end < line.n && blank(str_from_pos(line, end)) == 0)
            end++;
        struct str word = str_first(line, end);
        line = str_from_pos(line, end);
        if (ascii_is_digit((unsigned char)word.p[0]))
            skip_joined_code(&word, str_trim(line), w->code);
        add_word(w, word, (size_t)(word.p - start));
    }
}

void
words_read(struct words *w, struct str reply)
{
    struct str line, rest = str_first(reply, WORDS_LONGEST);
    w->code = 0;
    w->n = 0;
    while (rest.n > 0) {
        (void)str_cut(rest, '\n', &line, &rest);
        line = str_trim(line);
        uint16_t c = take_code(&line);
        if (w->code == 0)
            w->code = c;
        add_line(w, line, reply.p);
    }
}
