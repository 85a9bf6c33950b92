/* SPDX-License-Identifier: ISC */
/*
 * Reading one message from a segment that was handed over by descriptor: for
 * send and mailbox, which hold no spool. What the disk says is foreign input:
 * the record must carry this id and this generation, and its checksum is
 * verified before the first octet of content comes out.
 *
 *     struct spool_reader r;
 *     if (!spool_reader_open(&r, disk, segment_fd, large_fd, id, &at, &err))
 *         ... OUTCOME_NONE, log err.text ...
 *     while (spool_reader_next(&r, &bytes, &err) && bytes.n > 0)
 *         write(bytes);
 *     spool_reader_close(&r);
 *
 * Up to 128 KiB of content come at once, a large file's in pieces. It blocks
 * as long as reading from the disk does.
 */
#pragma once

#include "base/buf.h"
#include "base/disk.h"
#include "spool/spool.h"

struct format_running;

struct spool_reader {
    const struct disk *disk;
    int large_fd;
    struct buf record, piece; /* the record; a piece of the large file */
    struct str envelope, content;
    uint64_t size, at; /* octets of content; given out so far */
    uint64_t sum;      /* what they must add up to */
    struct format_running *running;
    bool large, needs_stuffing;
};

/* large_fd: the descriptor of at->large, or -1 when that is 0. Both stay the
 * caller's. false: nothing to close. */
bool spool_reader_open(struct spool_reader *r, const struct disk *disk,
                       int segment_fd, int large_fd, struct msgid id,
                       const struct spool_locator *at, struct err *e);
/* For the spool itself: whichever message lies there. */
bool spool_reader_open_any(struct spool_reader *r, const struct disk *disk,
                           int segment_fd, int large_fd,
                           const struct spool_locator *at, struct err *e);
void spool_reader_close(struct spool_reader *r);

/* The envelope as accepted; slices borrow from the reader until its close. */
bool spool_reader_envelope(const struct spool_reader *r, struct arena *a,
                           struct envelope *out);

/* The next piece, good until the next call; empty at the end. false: it cannot
 * be read, ends early, or the last piece of a large file shows that its
 * checksum is wrong: what was given out so far must not be used. */
bool spool_reader_next(struct spool_reader *r, struct str *bytes,
                       struct err *e);
/* From the first octet again. */
void spool_reader_rewind(struct spool_reader *r);
