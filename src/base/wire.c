/* SPDX-License-Identifier: ISC */
#include "base/wire.h"

#include <assert.h>

struct wire
wire_from(struct str bytes)
{
    return (struct wire){(const unsigned char *)bytes.p, bytes.n, false};
}

static uint64_t
take_number(struct wire *w, size_t n)
{
    uint64_t v = 0;
    if (w->bad || w->n < n) {
        w->bad = true;
        return 0;
    }
    for (size_t i = n; i > 0; i--)
        v = v << 8 | w->p[i - 1];
    w->p += n;
    w->n -= n;
    return v;
}

uint8_t
wire_u8(struct wire *w)
{
    return (uint8_t)take_number(w, 1);
}

uint16_t
wire_u16(struct wire *w)
{
    return (uint16_t)take_number(w, 2);
}

uint32_t
wire_u32(struct wire *w)
{
    return (uint32_t)take_number(w, 4);
}

uint64_t
wire_u64(struct wire *w)
{
    return take_number(w, 8);
}

int64_t
wire_i64(struct wire *w)
{
    return (int64_t)take_number(w, 8);
}

struct str
wire_str(struct wire *w)
{
    size_t n = wire_u32(w);
    if (w->bad || w->n < n) {
        w->bad = true;
        return STR_EMPTY;
    }
    struct str s = str_from_n(w->p, n);
    w->p += n;
    w->n -= n;
    return s;
}

uint32_t
wire_count(struct wire *w, size_t size)
{
    uint32_t count = wire_u32(w);
    if (w->bad || count > w->n / size) {
        w->bad = true;
        return 0;
    }
    return count;
}

bool
wire_done(const struct wire *w)
{
    return !w->bad && w->n == 0;
}

static void
add_number(struct buf *b, uint64_t v, size_t n)
{
    char *to = buf_reserve(b, n);
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(unsigned char)(v >> (8 * i));
    b->n += n;
}

void
wire_add_u8(struct buf *b, uint8_t v)
{
    add_number(b, v, 1);
}

void
wire_add_u16(struct buf *b, uint16_t v)
{
    add_number(b, v, 2);
}

void
wire_add_u32(struct buf *b, uint32_t v)
{
    add_number(b, v, 4);
}

void
wire_add_u64(struct buf *b, uint64_t v)
{
    add_number(b, v, 8);
}

void
wire_add_i64(struct buf *b, int64_t v)
{
    add_number(b, (uint64_t)v, 8);
}

void
wire_add_str(struct buf *b, struct str s)
{
    assert(s.n <= UINT32_MAX);
    wire_add_u32(b, (uint32_t)s.n);
    buf_add(b, s);
}
