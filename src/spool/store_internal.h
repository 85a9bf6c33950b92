/* SPDX-License-Identifier: ISC */
/*
 * The queue's side of the log back end, split by noun:
 *
 *     numbers.c   numbers never given out twice (writers, files)
 *     segments.c  the set of segments: making, stamping, retiring, supply
 *     writers.c   who appends, what they hold, how they end
 *     larges.c    large files
 *     ledger.c    the queue's own log: adding, writing, syncing
 *     notes.c     what a ledger record means for the table, and reading back
 *     absorb.c    message records of data segments into the table
 *     summaries.c what sealed segments hold, for the next start
 *     recover.c   the start: folder, ledgers, what is in doubt
 *     claim.c     claiming, showing, listing, reading
 *     settle.c    outcomes and everything else that changes a state
 *     notices.c   what is owed
 *     move*.c     survivors out of old segments, news out of old ledgers
 *     leases.c    what is in hand, for after a crash
 *     store.c     the turn
 *
 * Two counters rule what may be forgotten: every ledger record has a number
 * (ledger.added counts them), and ledger.durable says up to which they survive
 * power loss. Whatever wants something gone (a segment, a large file) notes
 * ledger.added at the moment its reason became true and waits for durable.
 */
#pragma once

#include "base/map.h"
#include "spool/append.h"
#include "spool/log.h"
#include "spool/ops.h"
#include "spool/record.h"
#include "spool/scan.h"
#include "spool/summary.h"
#include "spool/table.h"

/* A recipient's note_segment while its latest note is in no file. */
#define STORE_WAITING (TABLE_NONE - 1)

enum {
    STORE_NAME = 40, /* octets of a file name */
    STORE_SEGMENT_MIN = 256 << 10,
    STORE_EXPANSION = 192 << 10,   /* octets of one EXPANDED record */
    STORE_TEXT = 16 << 10,         /* octets kept of a remote's reply */
    STORE_SEGMENT_FIRST = 8 << 20, /* grows with the traffic */
    STORE_HELD = 2,                /* segments a writer has in hand */
    STORE_LARGES = 64,             /* large files a writer has in hand */
    STORE_LARGES_NOTICES = 8,
    STORE_RETRY_MS = 1000, /* after the disk was full */
    LEDGER_SYNC_MS = 8,    /* outcomes are durable within 10 ms */
};

enum segment_state {
    SEGMENT_READY = 0, /* spare: nothing in it counts */
    SEGMENT_STAMPING,  /* its header is being written for an owner */
    SEGMENT_OPEN,      /* its owner appends */
    SEGMENT_DOUBT,     /* found at the start; its writer may still live */
    SEGMENT_TAIL,      /* its writer is dead: synced, then read to its end */
    SEGMENT_READING,   /* ends at `end`; not all of it is read yet */
    SEGMENT_SEALED,    /* all of it is read */
    SEGMENT_RETIRING,  /* its header gets a new generation */
};

/* The summary that is read at the start, and the one that is gathered. */
struct store_summary {
    int fd;             /* being read; -1: none is */
    uint64_t at;        /* octet of the file: of the next piece */
    struct buf entries; /* read from the segment itself, in its order */
    uint64_t first;     /* number of the first one's record */
    bool off;           /* entries would not be all: none is written */
};

struct store_segment {
    uint32_t index; /* in store->segments; the table refers to it */
    uint64_t number, generation, writer, size;
    uint64_t made;    /* more than size: its file was cut since it was made */
    uint32_t ordinal; /* of a ledger */
    enum segment_kind kind;
    enum segment_state state;
    int fd, read_fd;
    bool busy;   /* a task has its descriptor */
    bool moving; /* the mover is going through it */

    /* DATA and COPY */
    struct scan scan;
    bool scanning; /* scan is in use */
    struct store_summary summary;
    bool damaged;        /* could not be read to its end: kept as it is */
    uint64_t durable;    /* its writer said so */
    uint64_t end;        /* READING, SEALED: nothing counts from here on */
    uint32_t live;       /* messages whose record here is the one that counts */
    uint64_t live_bytes; /* of those records */
    uint32_t tomb_since; /* lowest ordinal of a ledger with the end of one of
                            its messages; TABLE_NONE: none ended */
    bool tried;          /* a mover went through it in vain */
    uint32_t grants;
    bool forget_asked;

    /* LEDGER */
    uint32_t refs; /* entries whose `since` is this one */

    uint64_t ready; /* ledger.added when it became needless; 0: it is needed */
};

struct store_writer {
    struct store_writer *next;
    uint64_t number;
    bool notices, supplied, dead;
    size_t larges; /* in its hands */
};

/* A large file in the hands of a writer, or (writer 0) of nobody known. */
struct store_large {
    struct store_large *next;
    uint64_t number, writer;
    uint64_t ready; /* doomed: unlink when this is durable */
};

struct ledger {
    struct store_segment *current, *next;
    bool next_coming;
    struct append out;  /* to current */
    struct buf records; /* u32 length, u8 type, meta; not durable yet */
    size_t unwritten;   /* where those begin that are not in the file */
    size_t marked;      /* before this the table knows where each lies */
    uint32_t consumed;  /* octets that left `records` at its front, in all */
    uint64_t octets;    /* of all records ever added here */
    uint64_t added, written, durable; /* counts of records, over all ledgers
                                         that ever were */
    struct store_segment *dirty[8];   /* written to since their last sync */
    size_t n_dirty;
    uint32_t next_ordinal;
    unsigned failures;      /* since the last success */
    unsigned epoch;         /* grows when records are written again */
    int64_t unsynced_since; /* mono_ms, while n_dirty > 0 */
    size_t unsynced_bytes;
    bool urgent; /* somebody waits for durable */
    struct ledger_sync *sync;
};

struct store_numbers {
    uint64_t next, limit; /* limit is durable */
    bool extending;
};

struct store_leases;
struct store_mover;

struct log_store {
    struct spool_store base; /* must be first */
    struct spool_log_setup setup;
    struct instant now;
    struct table table;
    struct store_segment **segments;
    size_t n_segments;
    struct store_writer *writers;
    struct map larges; /* number -> struct store_large */
    struct store_large *doomed;
    struct store_numbers numbers;
    struct ledger ledger;
    struct store_mover *mover;
    struct store_leases *leases;
    struct map holds;    /* id -> reason */
    struct msgid *owing; /* may owe a notice, oldest first */
    size_t n_owing, cap_owing, first_owing;
    struct buf *payments; /* keys seen before their originals */
    size_t n_payments, cap_payments;
    size_t tasks;   /* under way */
    uint64_t moved; /* messages whose copy became the one that counts */
    uint64_t make_size, reserve;
    bool making, supplying_larges;
    int64_t make_again; /* mono_ms: not before */
    enum spool_pressure pressure;
    bool suspicious; /* not all could be read: no file is called an orphan */
    bool called;     /* the roll was called */
    bool recovered;  /* all that was on disk is in the table */
    bool reading;    /* the last turn did not read all */
};

static inline struct log_store *
store_of(struct spool_store *s)
{
    return (struct log_store *)s;
}

void store_submit(struct log_store *s, enum lane lane, struct task *task);
void store_trouble(struct log_store *s, const struct err *e);
void store_corrupt(struct log_store *s, const struct store_segment *g,
                   uint64_t offset, const char *what);

/* ---- numbers.c */
bool numbers_open(struct log_store *s, struct err *e);
uint64_t numbers_take(struct log_store *s); /* 0: none just now */
/* The counter file was lost: stay clear of a number that is in use. */
bool numbers_skip(struct log_store *s, uint64_t seen, struct err *e);

/* ---- segments.c */
void segment_name(char out[STORE_NAME], uint64_t number);
struct store_segment *segment_new(struct log_store *s, uint64_t number, int fd,
                                  uint64_t size);
void segment_forget(struct log_store *s, struct store_segment *g);
struct store_segment *segment_find(const struct log_store *s, uint64_t number);
struct format_seed segment_seed(const struct store_segment *g);
bool segment_is_cut(const struct store_segment *g);
/* Begins to read it; the limit is all there is. */
void segment_scan(const struct log_store *s, const struct store_segment *g,
                  struct scan *scan);
void segments_supply(struct log_store *s);
void segments_retire(struct log_store *s);
/* The lowest ordinal of a ledger that is still there. */
uint32_t segments_first_ledger(const struct log_store *s);
/* A spare one is stamped for the mover; calls mover_given(). */
bool segments_want_copy(struct log_store *s);
void mover_given(struct log_store *s, struct store_segment *g);

/* ---- writers.c */
struct store_writer *writer_find(const struct log_store *s, uint64_t number);
void writers_sync_tail(struct log_store *s, struct store_segment *g);
/* A tail was read to its end. */
void writers_tail_done(struct log_store *s, struct store_segment *g);

/* ---- larges.c */
/* A record names this large file: it is nobody's stock any more. */
void larges_used(struct log_store *s, uint64_t number);
/* Its message is done (once the ledger is durable). */
void larges_doom(struct log_store *s, uint64_t number);
void larges_turn(struct log_store *s);
void larges_found(struct log_store *s, uint64_t number);
/* All of that writer (0: of nobody) go. */
void larges_bury(struct log_store *s, uint64_t writer);
struct store_large *larges_find(const struct log_store *s, uint64_t number);

/* ---- ledger.c */
void ledger_add(struct log_store *s, enum record_type type, struct str meta);
void ledger_add_event(struct log_store *s, enum record_type type,
                      const struct record_event *x);
void ledger_write(struct log_store *s);
/* for (size_t at = 0; ledger_kept(s, &at, &type, &meta);) ... the records that
 * are not durable, oldest first; they stay until the next ledger_add(). */
bool ledger_kept(const struct log_store *s, size_t *at, enum record_type *type,
                 struct str *meta);
/* Tells notes_waiting() of those that are in no file. */
void ledger_mark(struct log_store *s);
/* One of those, by the place that notes_waiting() was told; false: none. */
bool ledger_waiting(const struct log_store *s, uint32_t at,
                    enum record_type *type, struct str *meta);
void ledger_turn(struct log_store *s);
bool ledger_ready(const struct log_store *s); /* outcomes can be written */
void ledger_given(struct log_store *s, struct store_segment *g);
uint32_t ledger_ordinal(const struct log_store *s); /* of what comes next */
void ledger_fini(struct log_store *s);

/* ---- notes.c */
/* A record of the ledger lies there now: the table points to it. */
void notes_placed(struct log_store *s, enum record_type type, struct str meta,
                  struct store_segment *g, uint64_t offset);
/* It is in no file yet: ledger_waiting() has it. */
void notes_waiting(struct log_store *s, enum record_type type, struct str meta,
                   uint32_t at);
/* As placed, at the start, where its meaning is not in the table yet. */
void notes_replay(struct log_store *s, enum record_type type, struct str meta,
                  struct store_segment *g, uint64_t offset);
/* The latest note of a recipient. false: none, or it cannot be read. */
bool notes_read(struct log_store *s, uint32_t entry, uint32_t rcpt,
                struct arena *a, struct record_note *out);
/* Counts an entry's `since` in and out of its ledger. */
void notes_touch(struct log_store *s, uint32_t entry,
                 struct store_segment *ledger);
void notes_untouch(struct log_store *s, uint32_t entry);
/* All there is of it lies in ledgers from that ordinal on. */
void notes_retouch(struct log_store *s, uint32_t entry, uint32_t ordinal);
void notes_set_hold(struct log_store *s, struct msgid id, struct str reason);
struct str notes_hold(const struct log_store *s, struct msgid id);
void notes_drop_hold(struct log_store *s, struct msgid id);

/* ---- absorb.c */
void absorb_turn(struct log_store *s);
void absorb_limit(struct log_store *s, struct store_segment *g);
/* A message record lies there, found by whatever means. */
void absorb_message(struct log_store *s, struct store_segment *g,
                    const struct summary_entry *x);

/* ---- summaries.c */
/* At the start: is there one? */
void summaries_find(struct log_store *s, struct store_segment *g);
/* While fd is open: absorbs one piece, adds its octets; false: that was all. */
bool summaries_read(struct log_store *s, struct store_segment *g,
                    uint64_t *octets);
void summaries_add(struct store_segment *g, const struct summary_entry *e);
/* Something was bad: what is gathered is not all. */
void summaries_spoil(struct store_segment *g);
/* It was read to its end. */
void summaries_write(struct log_store *s, struct store_segment *g);
void summaries_drop(struct log_store *s, struct store_segment *g);
/* May be called from a task. */
void summaries_unlink(const struct log_store *s, uint64_t number);

/* ---- recover.c */
bool recover(struct log_store *s, struct err *e);
/* All was absorbed: ghosts and orphans go, debts are paid. */
void recover_finish(struct log_store *s);

/* ---- claim.c */
bool log_store_claim(struct spool_store *s, struct instant now, struct arena *a,
                     struct spool_claim *out);
int64_t log_store_next_due(const struct spool_store *s);
void log_store_ids(struct spool_store *s,
                   void (*fn)(void *ctx, struct msgid id), void *ctx);
void log_store_list(struct spool_store *s, spool_view_fn fn, void *ctx);
bool log_store_show(struct spool_store *s, struct msgid id, struct arena *a,
                    struct spool_view *out);
size_t log_store_count(const struct spool_store *s);
bool log_store_read(struct spool_store *s, const struct spool_locator *at,
                    struct buf *to, struct err *e);
/* The message record of an entry, verified; slices live in the arena. */
bool claim_load(struct log_store *s, uint32_t entry, struct arena *a,
                struct record_message *m, struct err *e);

/* ---- settle.c */
bool log_store_settle(struct spool_store *s, const struct spool_settlement *x);
void log_store_unlease(struct spool_store *s, struct msgid id, uint32_t rcpt,
                       int64_t next_ms);
bool log_store_lease(struct spool_store *s, struct msgid id, uint32_t rcpt);
void log_store_handed(struct spool_store *base, struct msgid id);
bool log_store_crashed(struct spool_store *s, struct msgid id,
                       const uint32_t *rcpts, size_t n, int64_t next_ms);
bool log_store_expand(struct spool_store *s, struct msgid id, uint32_t rcpt,
                      const struct str *targets, size_t n, uint32_t *out);
bool log_store_hold(struct spool_store *s, struct msgid id, struct str reason);
bool log_store_release(struct spool_store *s, struct msgid id, int64_t due_ms);
bool log_store_reschedule(struct spool_store *s, struct msgid id,
                          int64_t due_ms);
bool log_store_remove(struct spool_store *s, struct msgid id);
/* Ends the entry if nothing of it is open. */
void settle_done(struct log_store *s, uint32_t entry);
/* Adds the latest note of a recipient to the ledger. */
void settle_note(struct log_store *s, uint32_t entry, uint32_t rcpt,
                 const struct verdict *last);
/* One more process died with it; the third time it is held. */
void settle_crash(struct log_store *s, uint32_t entry);

/* ---- notices.c */
bool log_store_next_notice(struct spool_store *s, struct arena *a,
                           struct spool_notice *out);
void log_store_notice_declined(struct spool_store *s, struct str key);
void log_store_notices_again(struct spool_store *s);
void notices_owe(struct log_store *s, uint32_t entry);
/* A message that carries this key has come. */
void notices_pay(struct log_store *s, struct str key);

/* ---- move.c */
void mover_new(struct log_store *s);
void mover_free(struct log_store *s);
void mover_turn(struct log_store *s);
bool mover_busy(const struct log_store *s);
int64_t mover_wake(const struct log_store *s); /* as spool_store_wake() */

/* ---- leases.c */
bool leases_open(struct log_store *s, struct err *e);
void leases_take(struct log_store *s, struct msgid id);
void leases_drop(struct log_store *s, struct msgid id);
void leases_turn(struct log_store *s);
void leases_close(struct log_store *s);
/* It was in hand when the last queue ended. */
bool leases_in_doubt(const struct log_store *s, struct msgid id);
void leases_recovered(struct log_store *s); /* nobody will ask any more */
