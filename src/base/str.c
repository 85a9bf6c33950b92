/* SPDX-License-Identifier: ISC */
#include "base/str.h"

#include <string.h>

#include "base/ascii.h"
#include "base/math.h"

bool
str_eq_nocase_n(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)a[i], d = (unsigned char)b[i];
        if (c != d && ((c ^ d) != 0x20 || !ascii_is_alpha(c)))
            return false;
    }
    return true;
}

int
str_compare(struct str a, struct str b)
{
    size_t n = math_min(a.n, b.n);
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

bool
str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_from_pos(s, s.n - suffix.n), suffix);
}

ssize_t
str_rfind_char(struct str s, char c)
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == c)
            return (ssize_t)(i - 1);
    return -1;
}

/* How often a letter stands in English text, in percent; a blank is common,
 * what is not here is rare. */
static const unsigned char common[256] = {
    ['\n'] = 3, [' '] = 18, ['a'] = 8, ['b'] = 2, ['c'] = 3,
    ['d'] = 4,  ['e'] = 12, ['f'] = 2, ['g'] = 2, ['h'] = 6,
    ['i'] = 7,  ['k'] = 1,  ['l'] = 4, ['m'] = 3, ['n'] = 7,
    ['o'] = 8,  ['p'] = 2,  ['r'] = 6, ['s'] = 6, ['t'] = 9,
    ['u'] = 3,  ['v'] = 1,  ['w'] = 2, ['y'] = 2, ['.'] = 2,
};

/* Where the needle has the octet that is worth to look for. */
static size_t
rarest(struct str needle)
{
    size_t best = 0;
    unsigned least = UINT8_MAX;
    for (size_t i = 0; i < needle.n; i++) {
        unsigned n = common[ascii_lower((unsigned char)needle.p[i])];
        if (n < least) {
            least = n;
            best = i;
        }
    }
    return best;
}

/* memchr() finds the candidates by one octet of the needle. */
ssize_t
str_find(struct str s, struct str needle)
{
    if (needle.n == 0 || needle.n > s.n)
        return needle.n == 0 ? 0 : -1;
    size_t at = rarest(needle);
    const char *p = s.p + at, *end = p + (s.n - needle.n + 1);
    while ((p = memchr(p, needle.p[at], (size_t)(end - p))) != NULL) {
        if (memcmp(p - at, needle.p, needle.n) == 0)
            return p - at - s.p;
        p++;
    }
    return -1;
}

/* memchr() finds the candidates, one octet of the needle in both its cases. */
ssize_t
str_find_nocase(struct str s, struct str needle)
{
    if (needle.n == 0 || needle.n > s.n)
        return needle.n == 0 ? 0 : -1;
    size_t at = rarest(needle);
    unsigned char lower = ascii_lower((unsigned char)needle.p[at]);
    unsigned char upper =
        lower >= 'a' && lower <= 'z' ? (unsigned char)(lower - 'a' + 'A') : 0;
    const char *from = s.p + at, *end = from + (s.n - needle.n + 1);
    const char *low = memchr(from, lower, (size_t)(end - from));
    const char *high =
        upper == 0 ? NULL : memchr(from, upper, (size_t)(end - from));

    while (low != NULL || high != NULL) {
        bool is_low = high == NULL || (low != NULL && low < high);
        const char **next = is_low ? &low : &high;
        const char *p = *next - at;
        if (str_eq_nocase((struct str){p, needle.n}, needle))
            return p - s.p;
        (*next)++;
        *next = memchr(*next, is_low ? lower : upper, (size_t)(end - *next));
    }
    return -1;
}

bool
str_skip_nocase(struct str *s, struct str prefix)
{
    if (!str_starts_nocase(*s, prefix))
        return false;
    *s = str_from_pos(*s, prefix.n);
    return true;
}

bool
str_to_u64(struct str s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_digit((unsigned char)s.p[i]) ||
            !math_mul_u64(value, 10, &value) ||
            !math_add_u64(value, (uint64_t)(s.p[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}
