/* SPDX-License-Identifier: ISC */
/*
 * Bytes being built. The owner holds the struct, {0} is an empty one; it grows
 * as needed (the caller has checked its limits before) and buf_fini() ends it.
 *
 *     struct buf b = {0};
 *     buf_addf(&b, "%d ", 250);
 *     buf_add(&b, STR("ok\r\n"));
 *     write(fd, b.p, b.n);
 *     buf_fini(&b);
 */
#pragma once

#include <stdarg.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t n, cap;
};

void buf_fini(struct buf *b);  /* leaves an empty one */
void buf_wipe(struct buf *b);  /* the same, and zeroes what held secrets */
void buf_clear(struct buf *b); /* forgets the bytes, keeps the memory */

void buf_grow(struct buf *b, size_t n); /* buf_reserve()'s other half */

/* Room for n more octets at p + n; the caller writes them and adds to n. */
static inline char *
buf_reserve(struct buf *b, size_t n)
{
    if (n > b->cap - b->n)
        buf_grow(b, n);
    return b->p + b->n;
}

static inline void
buf_add(struct buf *b, struct str s)
{
    if (s.n == 0)
        return;
    memcpy(buf_reserve(b, s.n), s.p, s.n);
    b->n += s.n;
}

static inline void
buf_add_char(struct buf *b, char c)
{
    *buf_reserve(b, 1) = c;
    b->n++;
}

void buf_add_lower(struct buf *b, struct str s); /* ASCII letters lowered */
void buf_add_number(struct buf *b, uint64_t v);  /* decimal digits */
void buf_addf(struct buf *b, const char *format, ...) PRINTF(2, 3);
void buf_vaddf(struct buf *b, const char *format, va_list args) PRINTF(2, 0);

/* Drops n octets (at most all) from the front. */
void buf_consume(struct buf *b, size_t n);

/* What is in it; dies at the next change. */
struct str buf_str(const struct buf *b);

/* The bytes with a NUL behind them (not counted); dies at the next change. */
const char *buf_cstr(struct buf *b);
