/* SPDX-License-Identifier: ISC */
/*
 * A slice of bytes somebody else owns: not NUL-terminated, may hold any
 * octet, passed by value. Whoever hands one out says how long it lives.
 *
 *     struct str line = STR("MAIL FROM:<a@b.example>"), verb, args;
 *     str_cut(line, ' ', &verb, &args);     // "MAIL", "FROM:<a@b.example>"
 *     if (str_skip_nocase(&args, STR("FROM:"))) ...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_EMPTY ((struct str){"", 0})
/* For "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p

/* Here, as many others below, because parsers spend their time in it. NULL
 * gives the empty slice. */
static inline struct str
str_from(const char *text)
{
    return text == NULL ? STR_EMPTY : (struct str){text, strlen(text)};
}

static inline struct str
str_from_n(const void *p, size_t n)
{
    return n == 0 ? STR_EMPTY : (struct str){p, n};
}

static inline bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII letters only. */
bool str_eq_nocase_n(const char *a, const char *b, size_t n);

static inline bool
str_eq_nocase(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || (((a.p[0] ^ b.p[0]) & ~0x20) == 0 &&
                                       str_eq_nocase_n(a.p, b.p, a.n)));
}

int str_compare(struct str a, struct str b); /* like memcmp, then length */

static inline bool
str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

static inline bool
str_starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n &&
           str_eq_nocase((struct str){s.p, prefix.n}, prefix);
}

bool str_ends(struct str s, struct str suffix);

/* Position of the first/last c, of the first needle; -1: none. */
static inline ssize_t
str_find_char(struct str s, char c)
{
    const char *at = s.n == 0 ? NULL : (const char *)memchr(s.p, c, s.n);
    return at == NULL ? -1 : at - s.p;
}

ssize_t str_rfind_char(struct str s, char c);
ssize_t str_find(struct str s, struct str needle);
ssize_t str_find_nocase(struct str s, struct str needle);

/* The part from `from` on; the first n octets. Both stop at the ends. */
static inline struct str
str_from_pos(struct str s, size_t from)
{
    from = from < s.n ? from : s.n;
    // {0} is an empty slice, too, and NULL + 0 is undefined in C.
    return from == 0 ? s : (struct str){s.p + from, s.n - from};
}

static inline struct str
str_first(struct str s, size_t n)
{
    return (struct str){s.p, n < s.n ? n : s.n};
}

/* Without blanks, CR and LF at both ends. */
static inline bool
str_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline struct str
str_trim(struct str s)
{
    while (s.n > 0 && str_is_space(s.p[0]))
        s = str_from_pos(s, 1);
    while (s.n > 0 && str_is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Splits at the first c. Without one: head is all of s, tail is empty, false.
 */
static inline bool
str_cut(struct str s, char c, struct str *head, struct str *tail)
{
    ssize_t at = str_find_char(s, c);
    *head = at < 0 ? s : str_first(s, (size_t)at);
    *tail = at < 0 ? STR_EMPTY : str_from_pos(s, (size_t)at + 1);
    return at >= 0;
}

/* Steps over prefix if *s begins with it. */
static inline bool
str_skip(struct str *s, struct str prefix)
{
    if (!str_starts(*s, prefix))
        return false;
    *s = str_from_pos(*s, prefix.n);
    return true;
}

bool str_skip_nocase(struct str *s, struct str prefix);

static inline bool
str_skip_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from_pos(*s, 1);
    return true;
}

/* All of s as a decimal number; false: empty, no digit, or too large. */
bool str_to_u64(struct str s, uint64_t *out);
