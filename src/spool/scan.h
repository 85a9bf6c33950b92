/* SPDX-License-Identifier: ISC */
/*
 * Reading a segment from one offset to another, record by record. The bytes
 * are foreign: whatever they say, the scan ends, stays inside the segment and
 * yields only records whose checksums hold.
 *
 *     scan_init(&s, disk, fd, seed, size);
 *     s.limit = watermark, s.durable = watermark;
 *     while ((r = scan_next(&s, &record, &err)) != SCAN_END)
 *         ...
 *     scan_fini(&s);
 *
 * Where bytes are bad: below what is known durable (from `durable` or from the
 * header of any later batch) that is corruption, said once, and the scan goes
 * on at the next batch; above it is a torn tail, and the scan is at its end.
 * More may come later: raise limit and go on.
 */
#pragma once

#include "base/buf.h"
#include "base/disk.h"
#include "base/err.h"
#include "spool/format.h"

enum scan_result {
    SCAN_END = 0, /* nothing more below the limit that counts */
    SCAN_RECORD,
    SCAN_CORRUPT, /* bad bytes at record->offset, which had been durable */
    SCAN_ERROR,   /* the disk would not say; *e */
};

struct scan_record {
    uint64_t seq;
    uint64_t offset, content_at;
    uint64_t content_sum;
    uint32_t content; /* octets in the record */
    uint32_t length;  /* of the whole record, padding included */
    uint8_t type, flags;
    struct str meta; /* until the next call */
};

struct scan {
    const struct disk *disk;
    int fd;
    struct format_seed seed;
    uint64_t size;    /* of the segment */
    uint64_t limit;   /* look no further */
    uint64_t durable; /* known durable up to here */
    bool trust;       /* skip the contents' checksums: they were synced */

    uint64_t at;        /* where the next batch should begin */
    uint64_t record_at; /* within a batch: the next record, its end */
    uint64_t batch_end;
    uint32_t left; /* records left in the batch */
    uint64_t seq;  /* of the next record */
    bool gap;      /* the sequence may jump here: behind corruption, or where
                      a ledger begins */
    bool judged;   /* durable is the highest mark there is */
    struct buf window;
    uint64_t window_at;
};

void scan_init(struct scan *s, const struct disk *disk, int fd,
               struct format_seed seed, uint64_t size);
void scan_fini(struct scan *s);
enum scan_result scan_next(struct scan *s, struct scan_record *record,
                           struct err *e);
/* Goes on behind `at`, the end of a durable batch, with that record. */
void scan_skip(struct scan *s, uint64_t at, uint64_t seq);
/* Forgets what was read: the file may have grown new records since. */
void scan_refresh(struct scan *s);
