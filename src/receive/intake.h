/* SPDX-License-Identifier: ISC */
/*
 * One message on its way from the wire into the spool: gets its Received field
 * in front, is watched as far as its header goes, and for our own users gets
 * the Message-ID and Date it lacks, at the end of its header. Only the header
 * is held back until it is whole; the rest passes through.
 *
 *     if (!intake_begin(&i, door, &envelope, &trace, submission, &why)) 452 …
 *     parked = !intake_body(&i, bytes) ...
 *     intake_end(&i);
 *     intake_commit(&i, dots, on_stored, ctx);   // or intake_abort(&i)
 */
#pragma once

#include "gate/rules.h"
#include "receive/headscan.h"
#include "receive/trace.h"
#include "spool/spool.h"

struct intake {
    struct spool_message *message; /* NULL: none under way */
    struct trace trace;            /* its slices live until the commit */
    struct headscan scan;
    struct rules_scan rules; /* the driver sets its rules after the begin */
    struct buf head;         /* our Received and what came of the header */
    size_t own;              /* octets of head that are ours */
    bool submission;
    bool passed; /* the header has gone to the spool */
};

/* trace->id is filled in here. false: *why. */
bool intake_begin(struct intake *i, struct spool_door *d,
                  const struct envelope *e, const struct trace *trace,
                  bool submission, enum spool_result *why);

/* false: parked until the door is ready again; the octets were taken. */
bool intake_body(struct intake *i, struct str bytes);

/* All of the content has come; i->scan is final. */
void intake_end(struct intake *i);

/* Exactly one of these two; see spool_commit(). */
void intake_commit(struct intake *i, bool dots, spool_stored_fn on_stored,
                   void *ctx);
void intake_abort(struct intake *i);
