/* SPDX-License-Identifier: ISC */
/*
 * What the queue keeps in memory of each message that is not done: where its
 * records lie and when it is due. Addresses, envelopes and replies stay on
 * disk. About 90 octets for a message with one recipient, 24 for each further
 * one.
 *
 * Entries have numbers, which stay theirs until table_remove(). They are found
 * by id (a chained hash) and by time (a heap over the messages that wait).
 */
#pragma once

#include "base/id.h"
#include "spool/spool.h"

#define TABLE_NONE UINT32_MAX

struct table_rcpt {
    int64_t next_ms;
    uint32_t note_segment; /* where its latest note lies; TABLE_NONE: nowhere */
    uint32_t note_at;      /* offset there / 8 */
    uint32_t parent;
    uint16_t attempts; /* stays at its highest value */
    uint8_t state;     /* enum rcpt_state, never HELD */
    uint8_t owes;      /* NOTICE_*; the same << 4: handed out */
};

enum {
    TABLE_HELD = 1,
    TABLE_STUFFING = 2,
    TABLE_LARGE = 4,
    TABLE_DOUBT = 8,  /* in hand when the queue died, nobody has claimed it */
    TABLE_OWING = 16, /* in the list of those that owe a notice */
    TABLE_GONE = 32,  /* not seen, and it must not come back */
};

struct table_entry {
    struct msgid id;
    uint32_t segment; /* of the message record; TABLE_NONE: not seen (yet) */
    uint32_t at;      /* offset there / 8 */
    union {
        struct {
            uint32_t size;   /* octets of content */
            uint32_t length; /* octets of the record */
        };
        int64_t ghost_due; /* not seen: when unnoted recipients are due; 0 */
    };
    uint32_t n_rcpts;
    uint32_t n_open;    /* not DONE or EXPANDED */
    uint32_t since;     /* lowest ordinal of a ledger with news of it */
    uint32_t heap_at;   /* TABLE_NONE: not waiting */
    uint32_t hash_next; /* and the list of free entries */
    uint8_t flags, crashes;
    uint16_t meta; /* octets of the record's meta / 8, rounded up; 0: more */
    union {
        struct table_rcpt one; /* n_rcpts == 1 */
        struct table_many *many;
    };
};

struct table {
    struct table_entry **chunks;
    size_t n_chunks;
    uint32_t free; /* first of the free entries */
    uint32_t *buckets;
    size_t n_buckets; /* a power of two, or 0 */
    uint32_t *heap;
    size_t n_heap, cap_heap;
    size_t count;  /* entries, ghosts too */
    size_t ghosts; /* entries whose message was not seen */
    size_t rcpts;  /* of entries that were seen */
    size_t extra;  /* octets of arrays of recipients */
};

void table_init(struct table *t);
void table_fini(struct table *t);

struct table_entry *table_at(const struct table *t, uint32_t i);
uint32_t table_find(const struct table *t, struct msgid id);

/* A new entry without recipients, not seen. The id must not be there. */
uint32_t table_add(struct table *t, struct msgid id);
void table_remove(struct table *t, uint32_t i);
/* Its record was seen there, or (TABLE_NONE) it is a ghost again. */
void table_place(struct table *t, uint32_t i, uint32_t segment, uint64_t at);

uint64_t table_offset(const struct table_entry *e);

struct table_rcpt *table_rcpt(const struct table *t, uint32_t i, uint32_t rcpt);
/* Room for n recipients; new ones are DUE at due_ms and their own parents. */
void table_grow(struct table *t, uint32_t i, uint32_t n, int64_t due_ms);

/* Counts what is open and what is in hand; does not settle. */
void table_set_state(struct table *t, uint32_t i, uint32_t rcpt,
                     enum rcpt_state state);
uint32_t table_leased(const struct table *t, uint32_t i); /* in hand */

/* Must be called after a change of states, times or flags: puts the entry
 * where it belongs in the order of time. */
void table_settle(struct table *t, uint32_t i);
/* Cheaper: one recipient is DUE now, or moved to that time. */
void table_settle_rcpt(struct table *t, uint32_t i, uint32_t rcpt);

/* The entry that is due first; TABLE_NONE: none waits. */
uint32_t table_first(const struct table *t);
int64_t table_due(const struct table *t, uint32_t i);

/* for (uint32_t i = 0; table_next(&t, &i); i++) ... entries in no order */
bool table_next(const struct table *t, uint32_t *i);

size_t table_memory(const struct table *t);
