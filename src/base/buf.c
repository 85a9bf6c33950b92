/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/math.h"

enum { FIRST_CAPACITY = 256 };

void
buf_fini(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}

void
buf_wipe(struct buf *b)
{
    alloc_wipe(b->p, b->cap);
    buf_fini(b);
}

void
buf_clear(struct buf *b)
{
    b->n = 0;
}

void
buf_grow(struct buf *b, size_t n)
{
    size_t need;
    bool fits = math_add(b->n, n, &need);
    assert(fits);
    size_t cap = math_max(need, b->cap + b->cap / 2);
    b->cap = math_max(cap, FIRST_CAPACITY);
    b->p = alloc_resize(b->p, b->cap);
}

void
buf_add_lower(struct buf *b, struct str s)
{
    char *to = buf_reserve(b, s.n);
    for (size_t i = 0; i < s.n; i++)
        to[i] = (char)ascii_lower((unsigned char)s.p[i]);
    b->n += s.n;
}

void
buf_add_number(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    buf_add(b, str_from_n(digits + at, sizeof digits - at));
}

/* Twice only where the room left does not do. */
void
buf_vaddf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    char *to = buf_reserve(b, 1);
    int n = vsnprintf(to, b->cap - b->n, format, args);
    assert(n >= 0);
    if ((size_t)n >= b->cap - b->n) {
        to = buf_reserve(b, (size_t)n + 1);
        (void)vsnprintf(to, (size_t)n + 1, format, again);
    }
    va_end(again);
    b->n += (size_t)n;
}

void
buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vaddf(b, format, args);
    va_end(args);
}

void
buf_consume(struct buf *b, size_t n)
{
    n = math_min(n, b->n);
    b->n -= n;
    if (b->n > 0 && n > 0)
        memmove(b->p, b->p + n, b->n);
}

struct str
buf_str(const struct buf *b)
{
    return str_from_n(b->p, b->n);
}

const char *
buf_cstr(struct buf *b)
{
    *buf_reserve(b, 1) = '\0';
    return b->p;
}
