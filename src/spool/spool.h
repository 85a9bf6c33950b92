/* SPDX-License-Identifier: ISC */
/*
 * The spool as the house sees it: the door (accepting), the store (what is
 * due, what became of it) and reading. Promises and rules: docs/spool.md.
 *
 * Everything is asynchronous through tickets, so that a database fits behind
 * it; blocking work goes to the executor given at the start. Two back ends
 * stand behind the same calls: `log` (segments on disk) and `memory` (tests).
 *
 *   accepting, in receive, notify:
 *     m = spool_begin(door, &envelope);
 *     spool_chunk(m, bytes) ...
 *     spool_commit(m, on_stored, ctx);      // answer 250 only in on_stored
 *     spool_turn(door);                     // at the end of the loop turn
 *
 *   deciding, in queue:
 *     while (spool_claim(store, now, &arena, &claim)) hand out jobs ...
 *     spool_settle(store, &settlement) ...
 *     spool_store_turn(store);
 */
#pragma once

#include "base/err.h"
#include "base/id.h"
#include "base/task.h"
#include "base/time.h"
#include "mail/envelope.h"
#include "mail/verdict.h"
#include "base/disk.h"

/* ---- the door ---------------------------------------------------------- */

struct spool_door;
struct spool_message; /* one message being accepted */

enum spool_result {
    SPOOL_OK = 0,  /* it survives power loss */
    SPOOL_FULL,    /* no room or no segment ready: 452 4.3.1 */
    SPOOL_TROUBLE, /* a sync or write failed: 451 4.3.0; nothing was kept */
    SPOOL_CLOSED,  /* failed twice: 421 4.3.0, accept no more */
};

typedef void (*spool_stored_fn)(void *ctx, enum spool_result result,
                                struct msgid id);

/* NULL with *why (FULL, CLOSED) when nothing can be begun now. The envelope is
 * encoded at once; the caller's may go. */
struct spool_message *spool_begin(struct spool_door *d,
                                  const struct envelope *e,
                                  enum spool_result *why);

/* The id the message will have; known from the start, for Received. */
struct msgid spool_message_id(const struct spool_message *m);

/* Copies the bytes: canonical content, CRLF line ends, dots removed. False:
 * parked, feed no more until on_ready of the door; these bytes were taken. */
bool spool_chunk(struct spool_message *m, struct str bytes);
uint64_t spool_message_size(const struct spool_message *m);

/* Exactly one of the two. on_stored comes once, from spool_turn() or a task's
 * end, never from inside spool_commit(). needs_stuffing: some line begins with
 * a dot, so send must scan. The message is gone in both cases; after a commit
 * the answer comes even if the session is (pass a ctx that copes). */
void spool_commit(struct spool_message *m, bool needs_stuffing,
                  spool_stored_fn on_stored, void *ctx);
void spool_abort(struct spool_message *m);

/* Writes what was committed as one batch; starts a sync if none is running. */
void spool_turn(struct spool_door *d);

/* ---- notices ----------------------------------------------------------- */

/* What a given-up or delivered recipient owes the sender; or-ed. */
enum {
    NOTICE_NONE = 0,
    NOTICE_BOUNCE = 1,
    NOTICE_AUTOREPLY = 2,
    NOTICE_SUCCESS = 4, /* asked for by NOTIFY=SUCCESS (RFC 3461) */
    NOTICE_ALL = NOTICE_BOUNCE | NOTICE_AUTOREPLY | NOTICE_SUCCESS,
};

/* A notice owed: the original, what kind, about which recipients. Its key is
 * the same however often it is asked for; the message that notify writes
 * carries it in its envelope, and that settles the debt. */
struct spool_notice {
    struct str key;
    struct msgid original;
    unsigned kind; /* one of the above */
    uint32_t *rcpts;
    size_t n_rcpts;
};

/* ---- the store --------------------------------------------------------- */

struct spool_store;

/* Where a message's content lies. Opaque but to the back end and to readers
 * (spool/reader.h); fits in a pipe. */
struct spool_locator {
    uint64_t segment, generation, offset; /* of the record */
    uint64_t content_at, content_size;    /* within segment, or large file */
    uint64_t large;                       /* number of its large file, or 0 */
    bool needs_stuffing;
};

enum rcpt_state {
    RCPT_DUE = 0, /* waiting for its time, which may be now */
    RCPT_LEASED,  /* claimed */
    RCPT_HELD,
    RCPT_DONE,
    RCPT_EXPANDED, /* an alias: its targets are recipients of their own */
    RCPT_OWES,     /* final, but a notice is owed */
};

/* A recipient as claimed or listed. address borrows from the arena given. */
struct spool_rcpt {
    uint32_t index; /* within the message; expansion appends */
    struct str address;
    struct str orcpt;
    unsigned notify;
    enum rcpt_state state;
    uint32_t attempts;   /* made so far */
    int64_t next_ms;     /* wall clock */
    struct verdict last; /* of the last attempt */
    uint32_t parent;     /* index of the alias it came from, or its own */
};

struct spool_claim {
    struct msgid id;
    struct envelope envelope; /* as accepted */
    struct spool_locator at;
    struct spool_rcpt *rcpts; /* those that are due, now leased */
    size_t n_rcpts;
    uint64_t size;    /* octets of content */
    uint32_t crashes; /* of processes that had it in hand: retry it alone */
};

/* Leases the due recipients of one message, the longest due first. false:
 * nothing is due now. A lease ends by settling or spool_unlease(). */
bool spool_claim(struct spool_store *s, struct instant now, struct arena *a,
                 struct spool_claim *out);

/* The wall-clock time at which the next recipient is due; INT64_MAX: none. */
int64_t spool_next_due(const struct spool_store *s);

struct spool_settlement {
    struct msgid id;
    uint32_t rcpt;
    struct verdict verdict; /* LATER with give_up false: defer until next_ms */
    int64_t next_ms;
    bool give_up;    /* final although LATER */
    unsigned notice; /* NOTICE_*: owed because of this outcome */
};
/* Written at once, synced in groups; false: that recipient was not leased. */
bool spool_settle(struct spool_store *s, const struct spool_settlement *x);
/* Leases one recipient whatever its time: a worker that outlived the queue
 * says that it still has it in hand. false: unknown, final or leased. */
bool spool_lease(struct spool_store *s, struct msgid id, uint32_t rcpt);
/* A worker has this message in hand from now on: should the queue die and no
 * worker come back with it, that counts as a crash. What is only claimed does
 * not, else all that waits for its turn would be held after three deaths. */
void spool_handed(struct spool_store *s, struct msgid id);
/* Leased recipients come back as they were, due at next_ms. */
void spool_unlease(struct spool_store *s, struct msgid id, uint32_t rcpt,
                   int64_t next_ms);

/* The process that had these recipients in hand died at it: they are due again
 * at next_ms and the message's crashes count one up; at SPOOL_CRASHES_MAX it
 * is held with a reason. false: none of them was leased. */
enum { SPOOL_CRASHES_MAX = 3 };
bool spool_crashed(struct spool_store *s, struct msgid id,
                   const uint32_t *rcpts, size_t n, int64_t next_ms);

/* Replaces a leased recipient by these addresses; they are leased as well,
 * keep its NOTIFY, and their indexes are written to `out`. The alias itself
 * becomes EXPANDED. false: it was not leased, or that is more than 192 KiB of
 * addresses. */
bool spool_expand(struct spool_store *s, struct msgid id, uint32_t rcpt,
                  const struct str *targets, size_t n, uint32_t *out);

bool spool_hold(struct spool_store *s, struct msgid id, struct str reason);
bool spool_release(struct spool_store *s, struct msgid id, int64_t due_ms);
/* Due at due_ms whatever its schedule said; leased ones are left alone. */
bool spool_reschedule(struct spool_store *s, struct msgid id, int64_t due_ms);
/* Ends it without a notice; false: unknown, or a recipient is leased. */
bool spool_remove(struct spool_store *s, struct msgid id);

/* The next owed notice that was not handed out yet; false: none. */
bool spool_next_notice(struct spool_store *s, struct arena *a,
                       struct spool_notice *out);
/* notify decided that none is due, with the reason for the log. The other way
 * to settle one is that its message arrives. */
void spool_notice_declined(struct spool_store *s, struct str key);
/* Handed-out notices whose message did not come are owed again (notify died).
 */
void spool_notices_again(struct spool_store *s);

/* Messages in the spool; each call of fn gets a view that dies with it. */
struct spool_view {
    struct msgid id;
    struct envelope envelope;
    uint64_t size;
    struct spool_rcpt *rcpts; /* rcpts[i].index is i */
    size_t n_rcpts;
    bool held;
    bool unreadable; /* its record is not to be had: there is no envelope and
                        no address, only what became of it */
    struct str hold_reason;
    struct spool_locator at;
};
typedef bool (*spool_view_fn)(void *ctx, const struct spool_view *v);
/* The ids alone, in no order, without reading a record: who lists 100,000
 * messages shows them one by one. */
void spool_ids(struct spool_store *s, void (*fn)(void *ctx, struct msgid id),
               void *ctx);
void spool_list(struct spool_store *s, spool_view_fn fn, void *ctx);
bool spool_show(struct spool_store *s, struct msgid id, struct arena *a,
                struct spool_view *out);
size_t spool_count(const struct spool_store *s); /* messages not done */

/* The end of a loop turn: outcomes are written, syncs started. */
void spool_store_turn(struct spool_store *s, struct instant now);
/* When spool_store_turn() must be called again at the latest, in mono_ms; in
 * the past: at once (loop_again()); INT64_MAX: when something happens. */
int64_t spool_store_wake(const struct spool_store *s);

/* All of a message's content, appended to `to`; for notify and the command
 * line. false with *e when it cannot be read. */
bool spool_read(struct spool_store *s, const struct spool_locator *at,
                struct buf *to, struct err *e);

void spool_door_free(struct spool_door *d);
void spool_store_free(struct spool_store *s); /* after its tasks are done */
