/* SPDX-License-Identifier: ISC */
/*
 * The spool as a log on disk: what receive, notify and queue need beyond
 * spool.h. Promises, formats and the state table: docs/spool.md.
 *
 * The queue owns the folder. It makes segments and large files ahead of need
 * and hands them to the writers by descriptor; a writer appends, syncs and
 * reports how far it is durable. How those words travel (ipc/door.h) is the
 * rooms' business: here they are calls and callbacks of the same names.
 *
 * The door, in receive and notify:
 *
 *     d = spool_log_door_new(&setup);
 *     send DOOR_HELLO(spool_log_door_number(d)), then for each call of the
 *         function given to spool_log_door_holding(d, …) a DOOR_HOLDING
 *     on DOOR_WRITER   spool_log_door_writer(d, msg.writer);
 *     on DOOR_SEGMENT  spool_log_door_segment(d, msg.segment, msg.generation,
 *                                             msg.size, fd);
 *     on DOOR_LARGE    spool_log_door_large(d, msg.large, fd);
 *     on DOOR_PRESSURE spool_log_door_full(d, msg.pressure == PRESSURE_FULL);
 *     end of turn      spool_turn(d);
 *
 * The store, in queue:
 *
 *     s = spool_log_store_open(&setup, &err);
 *     on DOOR_HELLO    w = spool_log_store_attach(s, msg.writer, notices);
 *                      answer DOOR_WRITER(w)
 *     on DOOR_HOLDING  spool_log_store_holding(s, w, segment, generation,
 *                                              offset, large);
 *     after the last   spool_log_store_supply(s, w);
 *     on DOOR_WATERMARK, _SEALED, _LARGE_FREE: the calls of those names
 *     writer reaped    spool_log_store_died(s, w);
 *     every writer that lived when we started has attached or was reaped:
 *                      spool_log_store_roll_call(s);
 *     end of turn      spool_store_turn(s, now); then again by
 *                      spool_store_wake(s)
 */
#pragma once

#include "base/disk.h"
#include "base/task.h"
#include "spool/spool.h"

/* ---- the door ---------------------------------------------------------- */

struct spool_log_door_setup {
    const struct disk *disk;
    struct executor executor;
    size_t body_memory; /* octets of content in memory; beyond: large files */

    /* From spool_turn() or the end of a task. */
    void *ctx;
    void (*on_watermark)(void *ctx, uint64_t segment, uint64_t generation,
                         uint64_t offset);
    /* Comes after the segment's last watermark. */
    void (*on_sealed)(void *ctx, uint64_t segment, uint64_t generation,
                      uint64_t offset);
    void (*on_large_free)(void *ctx, uint64_t large);
    void (*on_ready)(void *ctx); /* who was parked may go on */
};

/* Until it has a number and a segment, spool_begin() says FULL. */
struct spool_door *spool_log_door_new(const struct spool_log_door_setup *setup);

uint64_t spool_log_door_number(const struct spool_door *d); /* 0: none yet */
void spool_log_door_writer(struct spool_door *d, uint64_t writer);
/* These own the descriptor from now on. */
void spool_log_door_segment(struct spool_door *d, uint64_t segment,
                            uint64_t generation, uint64_t size, int fd);
void spool_log_door_large(struct spool_door *d, uint64_t large, int fd);
/* While full, spool_begin() says FULL; what was begun may finish. */
void spool_log_door_full(struct spool_door *d, bool full);

/* What a queue that was started anew must know. large is 0 for a segment;
 * for a large file segment, generation and offset are 0. */
typedef void (*spool_holding_fn)(void *ctx, uint64_t segment,
                                 uint64_t generation, uint64_t offset,
                                 uint64_t large);
void spool_log_door_holding(struct spool_door *d, spool_holding_fn fn,
                            void *ctx);

/* Nothing under way, nothing unanswered: it may be freed, the process go. */
bool spool_log_door_idle(const struct spool_door *d);

/* ---- the store --------------------------------------------------------- */

enum spool_pressure {
    SPOOL_PRESSURE_NONE = 0,
    SPOOL_PRESSURE_SLOW, /* segments are needed faster than they are made */
    SPOOL_PRESSURE_FULL, /* below min_free, or segments cannot be made */
};

struct spool_log_setup {
    const struct disk *disk;
    int dir; /* the open folder, empty at the very first start */
    struct executor executor;
    uint64_t segment_size; /* at most, a power of two from 256 KiB to 1 GiB */
    uint64_t reserve;      /* octets kept filled for outcomes and notices */
    uint64_t min_free;     /* octets of the file system that we leave alone */

    /* From spool_store_turn() or the end of a task. */
    void *ctx;
    /* fd stays ours: send a duplicate. */
    void (*on_segment)(void *ctx, uint64_t writer, uint64_t segment,
                       uint64_t generation, uint64_t size, int fd);
    void (*on_large)(void *ctx, uint64_t writer, uint64_t large, int fd);
    void (*on_pressure)(void *ctx, enum spool_pressure level);
    /* Ask every reader that was granted this segment to give it back. */
    void (*on_forget)(void *ctx, uint64_t segment);
    /* Bad bytes that had been durable; the rest is served. Also during
     * spool_log_store_open(). */
    void (*on_corrupt)(void *ctx, const char *file, uint64_t offset,
                       const char *what);
    /* The disk failed us; what follows from it has been done. */
    void (*on_trouble)(void *ctx, const struct err *e);
};

/* Reads what is there; blocks. NULL: *e says why. Messages of segments whose
 * writers may still live come with spool_log_store_roll_call(). */
struct spool_store *spool_log_store_open(const struct spool_log_setup *setup,
                                         struct err *e);

/* Writers. `writer` 0 gets a fresh number, another is taken as known; 0 comes
 * back when none can be given now. notices: may use the reserve (notify).
 * The others are false when a writer says what cannot be: end its channel. */
uint64_t spool_log_store_attach(struct spool_store *s, uint64_t writer,
                                bool notices);
bool spool_log_store_holding(struct spool_store *s, uint64_t writer,
                             uint64_t segment, uint64_t generation,
                             uint64_t offset, uint64_t large);
/* It said all that it holds: keep it supplied from now on. */
void spool_log_store_supply(struct spool_store *s, uint64_t writer);
bool spool_log_store_watermark(struct spool_store *s, uint64_t writer,
                               uint64_t segment, uint64_t generation,
                               uint64_t offset);
bool spool_log_store_sealed(struct spool_store *s, uint64_t writer,
                            uint64_t segment, uint64_t generation,
                            uint64_t offset);
bool spool_log_store_large_free(struct spool_store *s, uint64_t writer,
                                uint64_t large);
/* After it was reaped: its tails are synced, read and sealed. */
void spool_log_store_died(struct spool_store *s, uint64_t writer);
/* Every writer not attached by now is dead; large files of nobody go. */
void spool_log_store_roll_call(struct spool_store *s);

/* Readers. A segment granted (once for each reader that was given it) is not
 * used anew until it is ungranted as often. The descriptor is read-only and
 * stays ours; -1: it cannot be opened. */
int spool_log_store_grant(struct spool_store *s, uint64_t segment);
void spool_log_store_ungrant(struct spool_store *s, uint64_t segment);
/* A large file, read-only, the caller's to close (with disk->close). It needs
 * no grant: its name goes, its octets stay while someone has it open. */
int spool_log_store_large(struct spool_store *s, uint64_t large);

/* Nothing under way: all that was settled is durable. */
bool spool_log_store_idle(const struct spool_store *s);

struct spool_log_usage {
    uint64_t disk_bytes; /* of all files in the folder */
    uint64_t live_bytes; /* of records of messages that are not done */
    size_t segments, spare, messages, recipients;
    uint64_t moved; /* messages, since the start */
    size_t memory;  /* octets of the tables */
    bool recovered; /* all that was on disk at the start has been read */
};
void spool_log_store_usage(const struct spool_store *s,
                           struct spool_log_usage *out);
