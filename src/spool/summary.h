/* SPDX-License-Identifier: ISC */
/*
 * The summary of a sealed segment: all that the start wants to know of its
 * messages, so that it need not read them. Only the octets are here (the file
 * and its life: summaries.c).
 *
 * A summary is a row of pieces. Each says: from where the one before ended up
 * to `upto`, which was known durable, these records lie in the segment. What
 * lies behind the last good piece is found by scanning. Entries are gathered
 * while the segment is read, and cut into pieces when it is sealed:
 *
 *     summary_add_entry(&entries, &e) ...
 *     summary_cut(&file, seed, &plan, buf_str(&entries));
 *
 *     summary_parse_piece(head, seed, at, &p)
 *     in = wire_from(bytes behind it); summary_verify(&p, from, in)
 *     summary_take_entry(&in, &e) p.count times
 */
#pragma once

#include "base/buf.h"
#include "base/id.h"
#include "base/wire.h"
#include "spool/format.h"

enum { SUMMARY_PIECE = 56 }; /* octets before a piece's entries */

/* A message record. */
struct summary_entry {
    struct msgid id;
    uint64_t size, large; /* octets of content; its file, or 0 */
    int64_t arrived_ms;
    uint64_t offset;
    uint32_t length, meta; /* octets of the record, of its meta */
    uint32_t rcpts;
    uint8_t flags; /* of the record */
    bool last;     /* of its batch */
    struct str notice;
};

struct summary_piece {
    uint64_t end;    /* of the segment: nothing counts from there on */
    uint64_t upto;   /* where the next piece, or a scan, goes on */
    uint64_t first;  /* number of its first record */
    uint32_t count;  /* records */
    uint32_t octets; /* of the entries */
    uint64_t sum;    /* theirs */
};

void summary_add_entry(struct buf *to, const struct summary_entry *e);
/* The notice borrows from the input. */
bool summary_take_entry(struct wire *in, struct summary_entry *e);

/* The piece at octet `at` of the file; false: it is not one of this segment's
 * generation, or damaged. */
bool summary_parse_piece(const unsigned char from[SUMMARY_PIECE],
                         struct format_seed seed, uint64_t at,
                         struct summary_piece *p);
/* Are these its entries, one behind the other from that offset of the segment
 * on, and is all of it within the segment's size? */
bool summary_verify(const struct summary_piece *p, uint64_t from, uint64_t size,
                    struct str entries);

/* One piece, as it lies at octet `at` of the file; p->sum is made here. */
void summary_add_piece(struct buf *to, struct format_seed seed, uint64_t at,
                       const struct summary_piece *p, struct str entries);

struct summary_plan {
    uint64_t at;      /* octet of the file at which the first piece will lie */
    uint64_t first;   /* number of the first entry's record */
    uint64_t durable; /* no piece goes beyond this offset of the segment */
    uint64_t end;
};

/* The octets of all pieces; whole batches only. */
void summary_cut(struct buf *to, struct format_seed seed,
                 const struct summary_plan *plan, struct str entries);
