/* SPDX-License-Identifier: ISC */
/* What the two halves of the memory back end share. */
#pragma once

#include "base/arena.h"
#include "spool/memory.h"

struct memory_rcpt {
    struct str address, orcpt;
    unsigned notify;
    enum rcpt_state state; /* HELD is a property of the message */
    uint32_t attempts, parent;
    int64_t next_ms;
    struct verdict last;
    unsigned owes, handed; /* NOTICE_* */
};

/* One stored message. */
struct memory_entry {
    struct arena arena; /* owns all slices */
    struct msgid id;
    struct envelope envelope;
    struct buf content;
    bool needs_stuffing, held;
    struct str hold_reason;
    uint32_t crashes;
    struct memory_rcpt *rcpts;
    size_t n_rcpts;
};

struct memory_door;

struct memory_spool {
    struct memory_entry **entries; /* in order of arrival */
    size_t n, cap;
    uint64_t writers; /* numbers given out */
    enum spool_result begin, commit;
    bool parked;
    struct memory_door *doors;
};

/* Takes the entry over; a notice pays its debt. */
void memory_spool_add(struct memory_spool *m, struct memory_entry *e);
void memory_entry_free(struct memory_entry *e);
