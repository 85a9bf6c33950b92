/* SPDX-License-Identifier: ISC */
/*
 * Numbers and strings as octets, for pipes between our processes and for
 * records on disk. Little-endian; a string is a u32 length and its bytes.
 *
 * Reading never fails half way: a short or overlong field sets `bad`, and all
 * that follows reads as zero or empty. The caller checks once:
 *
 *     struct wire in = wire_from(frame);
 *     m->seq = wire_u64(&in);
 *     m->user = wire_str(&in);             // borrows from the frame
 *     return wire_done(&in);               // all read, nothing bad, no rest
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct wire {
    const unsigned char *p;
    size_t n;
    bool bad;
};

struct wire wire_from(struct str bytes);
uint8_t wire_u8(struct wire *w);
uint16_t wire_u16(struct wire *w);
uint32_t wire_u32(struct wire *w);
uint64_t wire_u64(struct wire *w);
int64_t wire_i64(struct wire *w);
struct str wire_str(struct wire *w);
/* An element count: bad unless that many elements of at least `size` octets
 * can still follow, so a loop over it is bounded by the input. */
uint32_t wire_count(struct wire *w, size_t size);
bool wire_done(const struct wire *w);

void wire_add_u8(struct buf *b, uint8_t v);
void wire_add_u16(struct buf *b, uint16_t v);
void wire_add_u32(struct buf *b, uint32_t v);
void wire_add_u64(struct buf *b, uint64_t v);
void wire_add_i64(struct buf *b, int64_t v);
void wire_add_str(struct buf *b, struct str s);
