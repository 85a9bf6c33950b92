/* SPDX-License-Identifier: ISC */
/*
 * What a foreign reply means. The words win over the codes: qmail's 5.7.1 says
 * "user unknown" as often as "not authorized", and sendmail's 5.3.0 nothing.
 */
#include "catalogue/catalogue.h"

#include "base/ascii.h"
#include "base/math.h"
#include "catalogue/catalogue_internal.h"

enum {
    LOOKED_AT = 1024,    /* octets of words; a cause stands further in front */
    WILD_LONGEST = 320,  /* an address, with what may stand around it */
    INPUT_LONGEST = 8192 /* octets of a reply that are read at all */
};

static bool
is_word_char(char c)
{
    return ascii_is_alnum((unsigned char)c);
}

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

/* Room for LOOKED_AT octets in out. */
static size_t
add_word(char *out, size_t n, struct str word)
{
    if (word.n == 0 || is_status(word))
        return n;
    if (n > 0 && n < LOOKED_AT)
        out[n++] = ' ';
    for (size_t i = 0; i < word.n && n < LOOKED_AT; i++)
        out[n++] = (char)ascii_lower((unsigned char)word.p[i]);
    return n;
}

/* All words of a reply in lower case, without its codes, in one line. */
static struct str
normalise(struct str reply, char out[LOOKED_AT], uint16_t *code)
{
    struct str line, word;
    size_t n = 0;
    while (reply.n > 0 && n < LOOKED_AT) {
        (void)str_cut(reply, '\n', &line, &reply);
        line = str_trim(line);
        uint16_t c = take_code(&line);
        if (*code == 0)
            *code = c;
        while (line.n > 0) {
            size_t end = 0;
            while (end < line.n && !ascii_is_blank((unsigned char)line.p[end]))
                end++;
            word = str_first(line, end);
            line = str_from_pos(line, end + 1);
            n = add_word(out, n, word);
        }
    }
    return str_from_n(out, n);
}

/* A wild card takes as little as it can and never a blank. */
static bool
skip_wild(struct str *text, struct str segment)
{
    size_t longest = math_min(text->n, WILD_LONGEST);
    for (size_t i = 1; i <= longest && text->p[i - 1] != ' '; i++) {
        struct str rest = str_from_pos(*text, i);
        if (str_skip(&rest, segment)) {
            *text = rest;
            return true;
        }
    }
    return false;
}

static bool
fits_here(struct str text, struct str pattern)
{
    struct str segment;
    bool more = str_cut(pattern, CATALOGUE_WILD, &segment, &pattern);
    if (!str_skip(&text, segment))
        return false;
    while (more) {
        more = str_cut(pattern, CATALOGUE_WILD, &segment, &pattern);
        if (!skip_wild(&text, segment))
            return false;
    }
    return text.n == 0 || !is_word_char(text.p[0]);
}

/* The first of the wordings, which are the best first, that stands somewhere in
 * text; catalogue_n_wordings: none. */
static size_t
find_wording(struct str text)
{
    size_t best = catalogue_n_wordings;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_word_char(text.p[i]) || (i > 0 && is_word_char(text.p[i - 1])))
            continue;
        struct str rest = str_from_pos(text, i);
        for (size_t w = 0; w < best; w++) {
            struct str pattern = catalogue_wordings[w].pattern;
            if (pattern.p[0] == rest.p[0] && fits_here(rest, pattern))
                best = w;
        }
    }
    return best;
}

static const struct reason *
by_code(uint16_t code, struct status s)
{
    for (size_t i = 0; i < catalogue_n_codes; i++) {
        const struct catalogue_code *c = &catalogue_codes[i];
        if (c->code == code && c->status.klass == s.klass &&
            c->status.subject == s.subject && c->status.detail == s.detail)
            return &catalogue_reasons[c->reason];
    }
    return NULL;
}

const struct reason *
catalogue_recognise(struct str reply)
{
    char words[LOOKED_AT];
    uint16_t code = 0;

    reply = str_first(reply, INPUT_LONGEST);
    struct str text = normalise(reply, words, &code);
    size_t found = find_wording(text);
    if (found < catalogue_n_wordings)
        return &catalogue_reasons[catalogue_wordings[found].reason];

    const struct reason *r = NULL;
    struct status s = status_find(reply);
    if (s.klass != 0)
        r = by_code(0, s);
    if (r == NULL && code != 0)
        r = by_code(code, (struct status){0});
    return r;
}
