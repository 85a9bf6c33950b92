/* SPDX-License-Identifier: ISC */
/*
 * The mover, shared by its three files: move.c chooses a job, move_copy.c does
 * COPY, move_news.c TOMBS and NEWS. Each does a bounded piece in a turn and
 * calls mover_end_job() when it is through.
 */
#pragma once

#include "spool/store_internal.h"

enum job { JOB_IDLE = 0, JOB_COPY, JOB_TOMBS, JOB_NEWS };

struct moved {
    struct msgid id;
    uint64_t from, to; /* offsets */
};

/* What of the ledgers is needed: known when all of them were gone through, by
 * what had to be written again. Without it, much that is needed would look like
 * much that is waste, and be written again for ever. */
struct needed {
    uint64_t news, tombs; // octets
    uint64_t refs;        // messages with news then
};

/* A record read from the victim that the target had no room for. */
struct carried {
    bool any;
    uint8_t flags;
    uint64_t from, sum;
    struct str meta, content; /* in the mover's arena */
};

struct store_mover {
    struct task task; /* the sync of the target; must be first */
    struct log_store *store;
    enum job job;
    struct store_segment *victim;
    struct scan scan;
    struct store_segment *target;
    struct append out;
    bool target_coming, syncing, ok;
    struct err error;
    struct arena arena; /* contents until they are written */
    struct carried carried;
    struct moved *moved;
    size_t n_moved, cap_moved;
    uint32_t since;  /* TOMBS: the ordinal at its start; NEWS: up to which */
    uint32_t cursor; /* NEWS: entry */
    struct {         /* NEWS: how far with that one */
        struct msgid id;
        uint32_t rcpt;
        uint32_t ordinal; // no note written again lies in an older ledger
    } part;
    struct needed needed, so_far;
    uint32_t round; // so_far is of all ledgers, once those below are gone
    int64_t again;  /* mono_ms */
};

void mover_end_job(struct store_mover *m);

void mover_copy(struct log_store *s);
void mover_tell_ends(struct log_store *s);
void mover_tell_news(struct log_store *s);
