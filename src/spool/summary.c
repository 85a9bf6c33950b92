/* SPDX-License-Identifier: ISC */
#include "spool/summary.h"

/* "GPY1" as it stands in the file. */
#define MAGIC UINT32_C(0x31595047)

enum {
    PIECE = 16 << 10, /* octets of entries, or what one batch needs */
    LAST = 0x80,      /* in the flags: the last record of its batch */
};

void
summary_add_entry(struct buf *to, const struct summary_entry *e)
{
    wire_add_u64(to, e->id.writer);
    wire_add_u64(to, e->id.seq);
    wire_add_u64(to, e->size);
    wire_add_u64(to, e->large);
    wire_add_i64(to, e->arrived_ms);
    wire_add_u64(to, e->offset);
    wire_add_u32(to, e->length);
    wire_add_u32(to, e->meta);
    wire_add_u32(to, e->rcpts);
    wire_add_u8(to, (uint8_t)((e->flags & ~LAST) | (e->last ? LAST : 0)));
    wire_add_str(to, e->notice);
}

bool
summary_take_entry(struct wire *in, struct summary_entry *e)
{
    e->id.writer = wire_u64(in);
    e->id.seq = wire_u64(in);
    e->size = wire_u64(in);
    e->large = wire_u64(in);
    e->arrived_ms = wire_i64(in);
    e->offset = wire_u64(in);
    e->length = wire_u32(in);
    e->meta = wire_u32(in);
    e->rcpts = wire_u32(in);
    uint8_t flags = wire_u8(in);
    e->flags = (uint8_t)(flags & ~LAST);
    e->last = (flags & LAST) != 0;
    e->notice = wire_str(in);
    return !in->bad;
}

void
summary_add_piece(struct buf *to, struct format_seed seed, uint64_t at,
                  const struct summary_piece *p, struct str entries)
{
    size_t from = to->n;
    wire_add_u32(to, MAGIC);
    wire_add_u32(to, p->octets);
    wire_add_u64(to, p->end);
    wire_add_u64(to, p->upto);
    wire_add_u64(to, p->first);
    wire_add_u32(to, p->count);
    wire_add_u32(to, 0);
    wire_add_u64(to, format_sum(entries));
    struct str head = {to->p + from, to->n - from};
    wire_add_u64(to, format_seeded_sum(seed, at, head));
    buf_add(to, entries);
}

bool
summary_parse_piece(const unsigned char from[SUMMARY_PIECE],
                    struct format_seed seed, uint64_t at,
                    struct summary_piece *p)
{
    struct str head = str_from_n(from, SUMMARY_PIECE - 8);
    struct wire in = wire_from(str_from_n(from, SUMMARY_PIECE));
    uint32_t magic = wire_u32(&in);

    p->octets = wire_u32(&in);
    p->end = wire_u64(&in);
    p->upto = wire_u64(&in);
    p->first = wire_u64(&in);
    p->count = wire_u32(&in);
    (void)wire_u32(&in);
    p->sum = wire_u64(&in);
    return magic == MAGIC && wire_u64(&in) == format_seeded_sum(seed, at, head);
}

bool
summary_verify(const struct summary_piece *p, uint64_t from, uint64_t size,
               struct str entries)
{
    struct wire in = wire_from(entries);
    uint64_t at = from;

    if (p->end > size || p->upto > p->end || p->upto <= from ||
        p->octets != entries.n || format_sum(entries) != p->sum)
        return false;
    for (uint32_t i = 0; i < p->count; i++) {
        struct summary_entry e;
        if (!summary_take_entry(&in, &e) || e.offset < at ||
            e.offset > p->upto || e.length > p->upto - e.offset ||
            e.length < FORMAT_RECORD || e.meta > e.length - FORMAT_RECORD ||
            e.rcpts > e.meta || e.offset % FORMAT_ALIGN != 0)
            return false;
        at = e.offset + e.length;
    }
    return wire_done(&in);
}

/* Takes entries of whole batches that are durable off the front, enough for a
 * piece; p->octets 0: there are none. */
static void
take_piece(struct str entries, uint64_t durable, struct summary_piece *p)
{
    struct wire in = wire_from(entries);
    struct summary_entry e;

    p->octets = 0;
    for (uint32_t n = 1; p->octets < PIECE && in.n > 0; n++) {
        if (!summary_take_entry(&in, &e))
            return;
        uint64_t upto = e.offset + e.length;
        upto = (upto + FORMAT_BLOCK - 1) & ~(uint64_t)(FORMAT_BLOCK - 1);
        if (upto > durable)
            return;
        if (!e.last)
            continue;
        p->upto = upto;
        p->count = n;
        p->octets = (uint32_t)(entries.n - in.n);
    }
}

void
summary_cut(struct buf *to, struct format_seed seed,
            const struct summary_plan *plan, struct str entries)
{
    struct summary_piece p = {.first = plan->first, .end = plan->end};

    for (;;) {
        take_piece(entries, plan->durable, &p);
        if (p.octets == 0)
            return;
        summary_add_piece(to, seed, plan->at + to->n, &p,
                          str_first(entries, p.octets));
        entries = str_from_pos(entries, p.octets);
        p.first += p.count;
    }
}
