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

struct str str_from(const char *text); /* NULL gives the empty slice */
struct str str_from_n(const void *p, size_t n);

/* Here, as some others below, because parsers spend their time in it. */
static inline bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
int str_compare(struct str a, struct str b);    /* like memcmp, then length */

static inline bool
str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Position of the first/last c, of the first needle; -1: none. */
ssize_t str_find_char(struct str s, char c);
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
struct str str_trim(struct str s);

/* Splits at the first c. Without one: head is all of s, tail is empty, false.
 */
bool str_cut(struct str s, char c, struct str *head, struct str *tail);

/* Steps over prefix if *s begins with it. */
bool str_skip(struct str *s, struct str prefix);
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
