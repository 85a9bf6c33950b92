/* SPDX-License-Identifier: ISC */
/*
 * One job of the queue on its way through a transaction, or through several:
 * recipients that the peer found too many go into the next one, and a
 * connection that was dead already is no attempt. It lives in its work's
 * arena and ends with delivery_report().
 */
#pragma once

#include "room/jobs.h"
#include "spool/reader.h"

struct delivery {
    struct delivery *next; /* of those that wait at a destination */
    struct work *work;
    struct envelope envelope; /* of the recipients that are left */
    uint32_t *at;             /* which of work's each of them is */
    bool again;               /* put back once: no second time */
    struct spool_reader reader;
    bool reading;
};

struct delivery *delivery_new(struct work *w);

/* Opens the content; false: it cannot be read, why is logged, and every
 * recipient has its verdict. */
bool delivery_open(struct delivery *d, const struct disk *disk);
/* The next piece; empty at the end. */
bool delivery_read(struct delivery *d, struct str *bytes);
void delivery_close(struct delivery *d);

/* Verdicts of a transaction over the recipients that were left. true: the peer
 * took some and found others too many; those are left now. false: report it,
 * before the verdicts' words are gone. */
bool delivery_settle(struct delivery *d, const struct verdict *verdicts);
/* The same verdict for all that are left; report it before its words go. */
void delivery_give_up(struct delivery *d, const struct verdict *v);

/* Tells the queue; d is gone. */
void delivery_report(struct delivery *d, struct jobs *jobs);
