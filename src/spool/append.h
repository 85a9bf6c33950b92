/* SPDX-License-Identifier: ISC */
/*
 * Writing batches into one segment. Records are added, then written in one
 * go; contents are referred to, not copied, and must stay until then.
 *
 *     append_init(&a, disk, fd, seed, size);
 *     if (append_fits(&a, meta.n, content_size))
 *         at = append_add(&a, RECORD_MESSAGE, 0, meta, pieces, n, sum);
 *     append_write(&a, &err);
 *
 * It does not sync and knows no tickets: who owns it says how far the segment
 * is durable (a.durable), which goes into the next batch's header.
 */
#pragma once

#include <sys/uio.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/err.h"
#include "spool/format.h"

struct append_piece {
    const char *p; /* NULL: n octets of `heads`, from `at` on */
    size_t at, n;
};

struct append {
    const struct disk *disk;
    int fd;
    struct format_seed seed;
    uint64_t size;    /* of the segment */
    uint64_t at;      /* where the batch begins; all before is written */
    uint64_t durable; /* as its owner knows */
    uint64_t seq;     /* of the next record */

    /* The batch being built. */
    struct buf heads; /* batch header, record headers, metas, padding */
    struct append_piece *pieces;
    size_t n_pieces, cap_pieces;
    uint64_t length; /* so far; 0: nothing was added */
    uint32_t count;
};

void append_init(struct append *a, const struct disk *disk, int fd,
                 struct format_seed seed, uint64_t size);
void append_fini(struct append *a); /* the descriptor stays open */

/* Is there room for this record behind those already added? */
bool append_fits(const struct append *a, uint64_t meta, uint64_t content);
/* Would it fit into an empty segment of that size? */
bool append_fits_size(uint64_t size, uint64_t meta, uint64_t content);

/* The offset at which the record will lie. sum is that of its content. */
uint64_t append_add(struct append *a, uint8_t type, uint8_t flags,
                    struct str meta, const struct str *content, size_t n,
                    uint64_t sum);

/* false: what is in the file from a->at on is unknown: write to this segment
 * no more. The batch is dropped in both cases. */
bool append_write(struct append *a, struct err *e);
