/* SPDX-License-Identifier: ISC */
/*
 * What the records of a log say. The codecs append to a buffer and borrow
 * from it; whatever is read was once on a disk and is checked like mail from
 * a stranger.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "mail/verdict.h"
#include "spool/spool.h"

enum record_type {
    RECORD_NONE = 0,
    RECORD_MESSAGE,  /* in DATA and COPY segments; the others in a LEDGER */
    RECORD_OUTCOME,  /* note: a recipient is final; may owe a notice */
    RECORD_DEFERRED, /* note: waits for next_ms */
    RECORD_EXPANDED, /* an alias became these recipients */
    RECORD_HOLD,     /* event: text is the reason */
    RECORD_RELEASE,  /* event: time is when it is due */
    RECORD_DUE,      /* event: time; all that wait are due then */
    RECORD_CRASHED,  /* event: a is how often so far */
    RECORD_PAID,     /* event: text is the key of a notice, no longer owed */
    RECORD_DONE,     /* event: removed by hand */
    RECORD_MOVED,    /* event: the copy lies in segment a, generation b, at c */
    RECORD_SEALED,   /* event: segment a, generation b ends at c */
    RECORD_TYPES
};

enum { RECORD_NEEDS_STUFFING = 1 }; /* flags of a message */

struct record_message {
    struct msgid id;
    uint64_t size;  /* octets of content */
    uint64_t large; /* its file, or 0: the content follows in the record */
    struct str envelope;
};

/* All that is known of a recipient but its original address: the latest note
 * makes every earlier one superfluous. */
struct record_note {
    struct msgid id;
    uint32_t rcpt, parent, attempts;
    int64_t next_ms;
    enum rcpt_state state; /* DUE, DONE, EXPANDED or OWES */
    unsigned owes;         /* NOTICE_* */
    struct str address;    /* of one that an expansion made; else empty */
    struct verdict last;
};

struct record_expanded {
    struct msgid id;
    uint32_t rcpt;  /* the alias */
    uint32_t first; /* index of the first target */
    int64_t next_ms;
    struct str *targets;
    size_t n;
};

struct record_event {
    struct msgid id;
    uint64_t a, b, c;
    int64_t time;
    struct str text;
};

void record_add_message(struct buf *to, const struct record_message *m);
bool record_parse_message(struct str meta, struct record_message *m);

void record_add_note(struct buf *to, const struct record_note *n);
bool record_parse_note(struct str meta, struct record_note *n);

void record_add_expanded(struct buf *to, const struct record_expanded *x);
bool record_parse_expanded(struct arena *a, struct str meta,
                           struct record_expanded *x);

void record_add_event(struct buf *to, const struct record_event *x);
bool record_parse_event(struct str meta, struct record_event *x);

/* Every record but SEALED begins with its message's id. */
bool record_id(struct str meta, struct msgid *id);
