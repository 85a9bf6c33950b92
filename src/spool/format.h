/* SPDX-License-Identifier: ISC */
/*
 * The octets of a segment (docs/spool.md has the tables):
 *
 *     block 0         header: whose segment, which generation; padded
 *     block i         batch: header, then records; padded to a whole block
 *     ...
 *
 * A recycled segment is full of old records that once were valid, so every
 * checksum is seeded with segment, generation and offset: what was written by
 * an earlier owner, or somewhere else, never verifies here.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum {
    FORMAT_BLOCK = 4096,
    FORMAT_HEADER = 72, /* octets of the segment's header in its block */
    FORMAT_BATCH = 40,
    FORMAT_RECORD = 40,
    FORMAT_ALIGN = 8,
    /* Content up to here lies in the record, beyond in a large file. */
    FORMAT_INLINE = 128 << 10,
};

/* Names a segment's bytes: the seed of all its checksums. */
struct format_seed {
    uint64_t segment, generation;
};

enum segment_kind {
    SEGMENT_SPARE = 0, /* nobody's: nothing in it counts */
    SEGMENT_DATA,      /* messages as a door wrote them */
    SEGMENT_COPY,      /* messages that the queue moved */
    SEGMENT_LEDGER,    /* what became of them */
};

struct segment_header {
    uint64_t segment, generation;
    uint64_t writer;  /* who may append; 0: the queue */
    uint64_t ordinal; /* of a ledger: its place in the order of ledgers */
    uint64_t size;    /* of the file */
    enum segment_kind kind;
};

void format_header(unsigned char to[FORMAT_BLOCK],
                   const struct segment_header *h);
/* false: it is not one, or of another version, or damaged. */
bool format_parse_header(const unsigned char *from, struct segment_header *h);

struct batch_header {
    uint64_t first_seq; /* of its first record */
    uint64_t durable;   /* the segment was known durable up to here */
    uint32_t length;    /* header and records, without the padding */
    uint32_t count;     /* records */
};

void format_batch(unsigned char to[FORMAT_BATCH], struct format_seed seed,
                  uint64_t offset, const struct batch_header *b);
bool format_parse_batch(const unsigned char *from, struct format_seed seed,
                        uint64_t offset, struct batch_header *b);

struct record_header {
    uint64_t seq;
    uint64_t content_sum; /* format_sum() of the content, also of a large one */
    uint32_t meta, content; /* octets that follow, in this order */
    uint8_t type, flags;
};

/* The record's checksum is over header and meta; the content has its own, so
 * that who needs only the envelope reads only that. */
void format_record(unsigned char to[FORMAT_RECORD], struct format_seed seed,
                   uint64_t offset, const struct record_header *r,
                   struct str meta);
/* The header's fields, unverified: how much must be read to verify it. */
void format_peek_record(const unsigned char *from, struct record_header *r);
bool format_verify_record(const unsigned char *from, struct format_seed seed,
                          uint64_t offset, struct str meta);

uint64_t format_sum(struct str bytes);
/* The same, of octets that belong to this segment and that offset of a file. */
uint64_t format_seeded_sum(struct format_seed seed, uint64_t offset,
                           struct str bytes);

/* The same in pieces. _new() starts at nothing, _result() can be asked at any
 * time, _restart() forgets. */
struct format_running;
struct format_running *format_running_new(void);
void format_running_free(struct format_running *r); /* takes NULL */
void format_running_restart(struct format_running *r);
void format_running_add(struct format_running *r, struct str bytes);
uint64_t format_running_result(const struct format_running *r);

/* Octets that a record takes, its padding included. */
uint64_t format_record_size(uint64_t meta, uint64_t content);
