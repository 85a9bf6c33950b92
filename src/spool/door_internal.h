/* SPDX-License-Identifier: ISC */
/*
 * The door of the log back end, split by noun: door.c (segments, batches,
 * tickets), door_message.c (content being collected), door_large.c (content
 * that spills).
 *
 * The way of a message: collecting -> committed -> in a batch -> ticket
 * (written, waits for a sync that started after its last octet) -> answered.
 * One that spills stays collecting until its large file is synced.
 */
#pragma once

#include "base/arena.h"
#include "spool/append.h"
#include "spool/log.h"
#include "spool/ops.h"

enum { DOOR_CLOSED_AFTER = 2 }; /* failures in a row */

struct door_block {
    struct door_block *next;
    size_t n, cap;
    char bytes[];
};

/* A large file: in stock, or a message's. */
struct door_large {
    struct door_large *next;
    uint64_t number;
    int fd; /* -1: synced and closed, its record is on the way */
    bool taken;
};

/* The writing of one message into its large file; one task at a time. */
struct door_spill {
    struct task task; /* must be first */
    struct door_message *message;
    const struct disk *disk;
    struct door_large *file;
    struct format_running *sum;
    uint64_t at;               /* octets written */
    struct door_block *blocks; /* the task's own */
    bool busy, last, aborted, ok;
    struct err error;
};

struct door_message {
    struct spool_message base; /* must be first */
    struct door_message *next; /* in one of the lists below */
    struct msgid id;
    struct buf envelope; /* encoded */
    struct door_block *first, *last;
    size_t memory;  /* octets of blocks */
    size_t pending; /* octets in them */
    uint64_t size, ticket;
    uint64_t sum;
    struct door_spill *spill;
    enum spool_result failed; /* decided already: what commit will say */
    bool needs_stuffing, committed;
    spool_stored_fn on_stored;
    void *ctx;
};

struct door_list {
    struct door_message *first, **last;
};

struct door_segment {
    struct task task; /* its sync; must be first */
    struct log_door *door;
    struct door_segment *next;
    struct append out;
    uint64_t covered; /* what the sync under way will have made durable */
    struct door_list batch, tickets;
    bool syncing, sealed, ok;
    struct err error;
};

struct log_door {
    struct spool_door base; /* must be first */
    struct spool_log_door_setup setup;
    uint64_t writer, seq;
    struct door_segment *segments; /* oldest first: sealed, current, spare */
    struct door_segment *current;
    struct door_large *larges;
    struct door_list committed, refused; /* refused: `failed` is the answer */
    size_t committed_bytes, memory, messages, tasks;
    unsigned failures; /* syncs and writes, since the last that worked */
    bool full, parked;
    struct buf meta;
    struct str *pieces;
    size_t cap_pieces;
};

void door_list_init(struct door_list *l);
void door_list_add(struct door_list *l, struct door_message *m);
struct door_message *door_list_take(struct door_list *l); /* NULL: empty */

void door_blocks_free(struct door_block *b);
/* Frees the content's memory; the message stays. */
void door_message_drop_content(struct door_message *m);
void door_message_free(struct door_message *m);

/* Moves the content of m into a large file from now on; without one it is
 * FULL. */
void door_spill_start(struct door_message *m);
/* Hands what is pending to the task, if none is under way. */
void door_spill_feed(struct door_message *m);
void door_spill_abort(struct door_message *m);
/* The file leaves the door: its record is durable, or nobody will refer to it.
 */
void door_large_forget(struct log_door *d, struct door_large *file,
                       bool unused);

/* The content is complete: into the next batch, or refused. */
void door_ready(struct log_door *d, struct door_message *m);

/* spool.h's calls about one message, in door_message.c. */
bool log_door_chunk(struct spool_message *base, struct str bytes);
struct msgid log_door_message_id(const struct spool_message *m);
uint64_t log_door_message_size(const struct spool_message *m);
void log_door_commit(struct spool_message *base, bool needs_stuffing,
                     spool_stored_fn on_stored, void *ctx);
void log_door_abort(struct spool_message *base);

/* door_segment.c: batches, syncs, tickets. */
/* Puts a ready message into the current segment's batch, going on to the next
 * segment where it must; false: there is no room anywhere. */
bool door_place(struct log_door *d, struct door_message *m);
/* Writes the batch of the current segment. */
void door_flush(struct log_door *d);
/* Starts every sync that is due and has none before it. */
void door_sync(struct log_door *d);
/* Tells how it ended and frees it. */
void door_answer(struct log_door *d, struct door_message *m,
                 enum spool_result result);
/* Could a message of ordinary size still be placed? */
bool door_has_room(const struct log_door *d);
