/* SPDX-License-Identifier: ISC */
/*
 * What must be found after a crash. The oracle keeps every state that each
 * message went through while the spool worked, and which of them is known to
 * be durable; a recovered spool may show that one or any later one, each id
 * once, and nothing else. All news are in one log, so that what is found is the
 * state of all messages at one moment: none may be gone while another does not
 * know yet what became of it before that.
 */
#pragma once

#include "spoolrig.h"

struct snapshot {
    bool exists, held;
    uint32_t n;
    struct spool_rcpt *rcpts; /* state, attempts, next_ms, parent only */
    uint64_t when;            /* which observation first saw it */
};

struct letter {
    struct msgid id;
    struct buf content;
    bool committed, acknowledged;
    bool seen;           /* in the store, once */
    bool notice_written; /* a notice about it was committed, or declined */
    struct snapshot *history;
    size_t n_history, durable;
};

struct oracle {
    struct letter **letters;
    size_t n;
    uint64_t checks, nested;
    uint64_t now; /* observations so far */
};

struct letter *oracle_add(struct oracle *o, struct msgid id, size_t n_rcpts,
                          int64_t due_ms, struct str content);
struct letter *oracle_find(const struct oracle *o, struct msgid id);
/* After every call that changes something. */
void oracle_observe(struct oracle *o, struct rig *r);
/* The spool says that all is durable. */
void oracle_durable(struct oracle *o, struct rig *r);
void oracle_fini(struct oracle *o);

/* Opens the disk and compares; false: the promises are broken, said on
 * stderr. The disk stays the caller's. work: go on until all is durable again,
 * else only until all is read. */
bool oracle_check(struct oracle *o, struct simdisk *disk, bool work,
                  const char *what);
