/* SPDX-License-Identifier: ISC */
/*
 * every room -> journal: what happened. One schema for all of them; a field
 * that says nothing is empty.
 *
 * Events travel in batches, one frame a loop turn, and are numbered by the room
 * from 1 on. The journal says up to which number it has written; until then the
 * room keeps them, for a journal that was started anew (room/diary.h).
 *
 *     journal_begin(&frame, first);
 *     journal_add(&frame, &event); ...
 *     journal_end(&frame, n);
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum journal_kind {
    JOURNAL_NONE = 0,
    JOURNAL_REFUSED,  /* receive: an SMTP reply that says no; an incident */
    JOURNAL_ACCEPTED, /* receive: a message is kept */
    JOURNAL_LOGIN,
    JOURNAL_LOGIN_FAILED, /* an incident, too */
    JOURNAL_EXPANDED,     /* queue: an alias was replaced by its targets */
    JOURNAL_DELIVERED,    /* in the mailbox */
    JOURNAL_RELAYED,      /* another host has taken it */
    JOURNAL_DEFERRED,
    JOURNAL_FAILED,    /* for good */
    JOURNAL_BOUNCED,   /* notify: a bounce was written */
    JOURNAL_AUTOREPLY, /* notify: an autoreply was written */
    JOURNAL_DECLINED,  /* notify: no notice was due; detail says why */
    JOURNAL_REMOVED,   /* an admin took it out of the queue */
    JOURNAL_REPEATED,  /* no event of its own: `incident` happened `count` times
                          more, the last time at at_ms */
    JOURNAL_DROPPED,   /* `count` events were lost from at_ms to until_ms */
    JOURNAL_KIND_COUNT
};

struct journal_event {
    enum journal_kind kind;
    int64_t at_ms;       /* wall clock */
    int64_t until_ms;    /* DROPPED; of others: the last repeat, 0: none */
    uint32_t count;      /* how often: 1, or with repeats */
    uint32_t recipients; /* ACCEPTED: of the message; EXPANDED: targets */
    uint32_t line;       /* of the config, where the rule stands; 0: unknown */
    uint64_t size;       /* of the message, octets */
    int64_t next_ms;     /* DEFERRED: the next attempt */

    struct str session, incident;
    struct str message; /* "2b-9Xk" */
    struct str related; /* of a notice: the message it is */
    struct str client;  /* "192.0.2.1"; empty: local */
    struct str user;    /* logged in as, or tried to */
    struct str helo;
    struct str sender;    /* "<>": the null sender; empty: not known */
    struct str recipient; /* of ACCEPTED: all of them, by "\n", if short */
    struct str alias;     /* the recipient as accepted, if it is another */
    struct str reason;    /* catalogue id */
    struct str rule;      /* the check that decided */
    struct str option;    /* its key in the config, "gate.badmailfrom" */
    struct str reply;     /* as said to the client, or by the remote host */
    struct str remote;    /* "mx.example.net [192.0.2.7]:25" */
    struct str status;    /* "5.1.1" */
    struct str protocol;  /* "ESMTPSA" */
    struct str detail;    /* a sentence of our own */
    struct str report;    /* every check with its result, the gate's text */
};

enum journal_type {
    JOURNAL_MSG_NONE = 0,
    JOURNAL_MSG_EVENTS, /* room -> journal */
    JOURNAL_MSG_TAKEN,  /* journal -> room: all below `seq` are written */
};

struct journal_msg {
    enum journal_type type;
    uint64_t seq; /* EVENTS: of the first; TAKEN */
    struct journal_event *events;
    size_t n;
};

enum { JOURNAL_BATCH = 4096 }; /* events of one frame at most */

/* "refused", …; NULL for none. */
const char *journal_kind_name(enum journal_kind kind);
enum journal_kind journal_kind_from_name(struct str name);

/* Texts that are too long are cut. n: how many were added. */
void journal_begin(struct buf *frame, uint64_t first);
void journal_add(struct buf *frame, const struct journal_event *e);
void journal_end(struct buf *frame, uint32_t n);

void journal_encode_taken(struct buf *to, uint64_t seq);

/* Texts borrow from the frame, the events' array is in the arena. */
bool journal_decode(struct arena *a, struct str frame, struct journal_msg *m);
