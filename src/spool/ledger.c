/* SPDX-License-Identifier: ISC */
/*
 * The queue's own log. A record is added in memory, written at the end of the
 * turn and synced in groups; until it is durable its octets are kept, so that
 * after a failed write or sync they can be written again into another segment.
 * A record's sequence number counts all records of all ledgers, so that the
 * start knows one that it has read already: half of what was written again must
 * not undo what followed at the first place. Order is kept over segments: one
 * that is left is synced before, or with, the next.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/wire.h"
#include "spool/io.h"
#include "spool/store_internal.h"

enum {
    SYNC_BYTES = 256 << 10, /* or when so many wait */
    CLOSED_AFTER = 2,       /* failures in a row */
    HEAD = 5,               /* u32 length, u8 type */
    ROOM = 64 << 10,        /* what a claim's outcomes may need */
    MAX_DIRTY = 8,
};

struct ledger_sync {
    struct task task; /* must be first */
    struct log_store *store;
    struct store_segment *segments[MAX_DIRTY];
    size_t n;
    uint64_t covered; /* count of records */
    size_t bytes;     /* of ledger.records that they take */
    uint64_t at;      /* how far the current segment will be durable */
    unsigned epoch;
    bool ok;
    struct err error;
};

void
ledger_add(struct log_store *s, enum record_type type, struct str meta)
{
    struct ledger *l = &s->ledger;
    wire_add_u32(&l->records, (uint32_t)meta.n);
    wire_add_u8(&l->records, (uint8_t)type);
    buf_add(&l->records, meta);
    l->octets += format_record_size(meta.n, 0);
    l->added++;
}

void
ledger_add_event(struct log_store *s, enum record_type type,
                 const struct record_event *x)
{
    struct buf meta = {0};
    record_add_event(&meta, x);
    ledger_add(s, type, buf_str(&meta));
    buf_fini(&meta);
}

void
ledger_given(struct log_store *s, struct store_segment *g)
{
    s->ledger.next_coming = false;
    s->ledger.next = g;
}

uint32_t
ledger_ordinal(const struct log_store *s)
{
    const struct ledger *l = &s->ledger;
    return l->current != NULL ? l->current->ordinal
           : l->next != NULL  ? l->next->ordinal
                              : l->next_ordinal;
}

/* It is written no more; it goes when nothing in it is needed. */
static void
leave(struct ledger *l)
{
    if (l->current == NULL)
        return;
    l->current->state = SEGMENT_SEALED;
    l->current = NULL;
    append_fini(&l->out);
}

/* READY (stamped) -> the one that is written. */
static bool
roll(struct log_store *s)
{
    struct ledger *l = &s->ledger;
    if (l->next == NULL || l->n_dirty == MAX_DIRTY ||
        l->failures >= CLOSED_AFTER)
        return false;
    leave(l);
    l->current = l->next;
    l->next = NULL;
    append_init(&l->out, s->setup.disk, l->current->fd,
                segment_seed(l->current), l->current->size);
    l->out.seq = l->written;
    return true;
}

/* What was not durable is written again, elsewhere. */
static void
broken(struct log_store *s, const struct err *e)
{
    struct ledger *l = &s->ledger;
    store_trouble(s, e);
    l->failures++;
    l->epoch++;
    leave(l);
    l->n_dirty = 0;
    l->unwritten = l->marked = 0;
    l->written = l->durable;
}

static bool
flush(struct log_store *s, uint64_t count)
{
    struct ledger *l = &s->ledger;
    struct err e;
    size_t i = 0;

    if (l->current == NULL || l->out.length == 0)
        return true;
    l->unsynced_bytes += (size_t)l->out.length;
    if (!append_write(&l->out, &e)) {
        broken(s, &e);
        return false;
    }
    l->written += count;
    if (l->n_dirty == 0)
        l->unsynced_since = s->now.mono_ms;
    while (i < l->n_dirty && l->dirty[i] != l->current)
        i++;
    if (i == l->n_dirty)
        l->dirty[l->n_dirty++] = l->current;
    return true;
}

static bool
has_room(const struct ledger *l, size_t meta)
{
    return l->current != NULL && append_fits(&l->out, meta, 0);
}

bool
ledger_kept(const struct log_store *s, size_t *at, enum record_type *type,
            struct str *meta)
{
    struct wire in = wire_from(str_from_pos(buf_str(&s->ledger.records), *at));
    size_t n = wire_u32(&in);
    *type = (enum record_type)wire_u8(&in);
    if (in.bad)
        return false;
    *meta = str_from_n(in.p, n);
    *at += HEAD + n;
    return true;
}

/* What a sync that is still under way covers stays where it lies: if that
 * succeeds it is written nowhere else. */
void
ledger_mark(struct log_store *s)
{
    struct ledger *l = &s->ledger;
    enum record_type type;
    struct str meta;
    size_t at = l->marked > l->unwritten ? l->marked : l->unwritten;

    if (l->sync != NULL && at < l->sync->bytes)
        at = l->sync->bytes;
    for (size_t next = at; ledger_kept(s, &next, &type, &meta); at = next)
        notes_waiting(s, type, meta, l->consumed + (uint32_t)at);
    l->marked = at;
}

bool
ledger_waiting(const struct log_store *s, uint32_t at, enum record_type *type,
               struct str *meta)
{
    size_t where = at - s->ledger.consumed;
    return ledger_kept(s, &where, type, meta);
}

/* Where the octets of unwritten records go. Without a segment they wait. */
void
ledger_write(struct log_store *s)
{
    struct ledger *l = &s->ledger;
    uint64_t count = 0;

    while (l->unwritten < l->records.n) {
        size_t after = l->unwritten;
        enum record_type type;
        struct str meta = STR_EMPTY;
        (void)ledger_kept(s, &after, &type, &meta);
        if (!has_room(l, meta.n)) {
            if (!flush(s, count) || !roll(s)) {
                l->urgent = true;
                return;
            }
            count = 0;
            continue;
        }
        uint64_t at = append_add(&l->out, (uint8_t)type, 0, meta, NULL, 0, 0);
        notes_placed(s, type, meta, l->current, at);
        l->unwritten = after;
        count++;
    }
    (void)flush(s, count);
}

static void
run(struct task *task)
{
    struct ledger_sync *x = (struct ledger_sync *)task;
    const struct disk *disk = x->store->setup.disk;
    x->ok = true;
    for (size_t i = 0; x->ok && i < x->n; i++)
        x->ok = disk->sync(disk->self, x->segments[i]->fd) == 0 ||
                err_sys(&x->error, "sync", "ledger");
}

static void
done(struct task *task)
{
    struct ledger_sync *x = (struct ledger_sync *)task;
    struct log_store *s = x->store;
    struct ledger *l = &s->ledger;

    s->tasks--;
    l->sync = NULL;
    for (size_t i = 0; i < x->n; i++)
        x->segments[i]->busy = false;
    if (x->ok) {
        l->failures = 0;
        l->durable = x->covered;
        if (l->current == x->segments[x->n - 1])
            l->out.durable = x->at;
        buf_consume(&l->records, x->bytes);
        l->consumed += (uint32_t)x->bytes;
        l->unwritten = l->unwritten > x->bytes ? l->unwritten - x->bytes : 0;
        l->marked = l->marked > x->bytes ? l->marked - x->bytes : 0;
        if (l->written < l->durable)
            l->written = l->durable;
    } else if (x->epoch == l->epoch) {
        broken(s, &x->error);
    } else { // a write there had failed before: all is in another segment
        store_trouble(s, &x->error);
        l->marked = 0;
    }
    free(x);
}

static void
start_sync(struct log_store *s)
{
    struct ledger *l = &s->ledger;
    struct ledger_sync *x = alloc_zero(sizeof *x);
    *x = (struct ledger_sync){
        .task = {run, done},
        .store = s,
        .n = l->n_dirty,
        .covered = l->written,
        .bytes = l->unwritten,
        .at = l->current != NULL ? l->out.at : 0,
        .epoch = l->epoch
    };
    for (size_t i = 0; i < l->n_dirty; i++) {
        x->segments[i] = l->dirty[i];
        x->segments[i]->busy = true;
    }
    l->n_dirty = 0;
    l->unsynced_bytes = 0;
    l->urgent = false;
    l->sync = x;
    store_submit(s, LANE_SYNC, &x->task);
}

void
ledger_turn(struct log_store *s)
{
    struct ledger *l = &s->ledger;

    if (l->current == NULL)
        (void)roll(s);
    ledger_write(s);
    if (l->sync != NULL || l->n_dirty == 0 || l->written == l->durable)
        return;
    if (l->urgent || l->unsynced_bytes >= SYNC_BYTES ||
        s->now.mono_ms - l->unsynced_since >= LEDGER_SYNC_MS)
        start_sync(s);
}

bool
ledger_ready(const struct log_store *s)
{
    const struct ledger *l = &s->ledger;
    if (l->failures >= CLOSED_AFTER || l->current == NULL)
        return false;
    return l->next != NULL || l->out.at + l->out.length + ROOM <= l->out.size;
}

void
ledger_fini(struct log_store *s)
{
    append_fini(&s->ledger.out);
    buf_fini(&s->ledger.records);
}
