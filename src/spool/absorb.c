/* SPDX-License-Identifier: ISC */
/*
 * Message records of data segments become entries of the table: while a writer
 * is alive up to its watermark, of a dead one all of the tail that verifies.
 * A turn reads a bounded number of octets; what is left waits for the next.
 *
 * Transitions of a message (docs/spool.md): M0 -> M1 accepted, and at the
 * start M0 -> whatever its ledger records say.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/store_internal.h"

enum {
    BUDGET = 8 << 20,         /* octets of segments read in one turn */
    SUMMARY_BUDGET = 1 << 20, /* octets of a summary */
};

/* The scan of a segment, started where it is first needed. */
void
absorb_limit(struct log_store *s, struct store_segment *g)
{
    if (!g->scanning) {
        segment_scan(s, g, &g->scan);
        g->scanning = true;
    }
    bool tail = g->state == SEGMENT_TAIL;
    g->scan.limit = tail                          ? g->size
                    : g->state == SEGMENT_READING ? g->end
                                                  : g->durable;
    if (g->durable > g->scan.durable)
        g->scan.durable = g->durable;
    // What a living writer reported was synced a moment ago.
    g->scan.trust = g->state == SEGMENT_OPEN;
    scan_refresh(&g->scan);
    s->reading = true;
}

/* An end in this segment is told no later than in that ledger. */
static void
mark_tomb(struct store_segment *g, uint32_t ordinal)
{
    if (ordinal < g->tomb_since)
        g->tomb_since = ordinal;
}

static void
entry_lives(struct log_store *s, uint32_t i, struct store_segment *g,
            const struct summary_entry *x)
{
    struct table_entry *e = table_at(&s->table, i);
    int64_t due = e->ghost_due != 0 ? e->ghost_due : x->arrived_ms;
    uint32_t meta = x->meta / 8 + (x->meta % 8 != 0);

    for (uint32_t k = 0; k < e->n_rcpts; k++) {
        struct table_rcpt *rcpt = table_rcpt(&s->table, i, k);
        if (rcpt->note_segment == TABLE_NONE)
            rcpt->next_ms = due;
    }
    table_grow(&s->table, i, x->rcpts, due);
    e->size = x->size < UINT32_MAX ? (uint32_t)x->size : UINT32_MAX;
    e->length = x->length;
    e->meta = meta <= UINT16_MAX ? (uint16_t)meta : 0;
    e->flags |= (x->flags & RECORD_NEEDS_STUFFING) != 0 ? TABLE_STUFFING : 0;
    e->flags |= x->large != 0 ? TABLE_LARGE : 0;
    e->flags |= leases_in_doubt(s, x->id) ? TABLE_DOUBT : 0;
    table_place(&s->table, i, g->index, x->offset);
    g->live++;
    g->live_bytes += x->length;
    if (x->large != 0)
        larges_used(s, x->large);
    table_settle(&s->table, i);
    notices_owe(s, i);
}

/* All recipients are final: the message record is a dead one. */
static bool
ended(const struct log_store *s, uint32_t i, size_t n_rcpts)
{
    const struct table_entry *e = table_at(&s->table, i);
    return (e->flags & TABLE_GONE) != 0 ||
           (e->n_open == 0 && e->n_rcpts >= n_rcpts);
}

void
absorb_message(struct log_store *s, struct store_segment *g,
               const struct summary_entry *x)
{
    if (x->rcpts == 0)
        return; // a message to nobody
    uint32_t i = table_find(&s->table, x->id);
    if (i != TABLE_NONE) {
        const struct table_entry *e = table_at(&s->table, i);
        bool other = e->segment != TABLE_NONE;
        if (other || ended(s, i, x->rcpts)) {
            // A second copy, or the record of one that has ended. Where it
            // lies must outlive neither word of that end.
            uint32_t since = e->since;
            mark_tomb(g, since != TABLE_NONE ? since : ledger_ordinal(s));
            return;
        }
    } else {
        i = table_add(&s->table, x->id);
    }
    entry_lives(s, i, g, x);
    if (x->notice.n > 0)
        notices_pay(s, x->notice);
}

static void
record_seen(struct log_store *s, struct store_segment *g,
            const struct scan_record *r)
{
    struct record_message m;
    struct envelope v;
    struct arena a = {0};

    if (r->type != RECORD_MESSAGE || !record_parse_message(r->meta, &m) ||
        !envelope_decode(&a, m.envelope, &v) ||
        (m.id.writer == 0 && m.id.seq == 0) ||
        (g->kind == SEGMENT_DATA && m.id.writer != g->writer) ||
        (m.large == 0 && m.size != r->content)) {
        store_corrupt(s, g, r->offset, "not a message of its writer");
        summaries_spoil(g);
    } else {
        struct summary_entry x = {.id = m.id,
                                  .size = m.size,
                                  .large = m.large,
                                  .arrived_ms = v.arrived_ms,
                                  .offset = r->offset,
                                  .length = r->length,
                                  .meta = (uint32_t)r->meta.n,
                                  .rcpts = (uint32_t)v.n_rcpts,
                                  .flags = r->flags,
                                  .last = g->scan.left == 0,
                                  .notice = v.notice};
        summaries_add(g, &x);
        absorb_message(s, g, &x);
    }
    arena_fini(&a);
}

/* TAIL or READING -> SEALED: nothing counts behind this. */
static void
read_to_end(struct log_store *s, struct store_segment *g)
{
    if (g->state == SEGMENT_TAIL)
        g->end = g->scan.at;
    g->state = SEGMENT_SEALED;
    summaries_write(s, g);
    struct record_event sealed = {.a = g->number,
                                  .b = g->generation,
                                  .c = g->end,
                                  .time = (int64_t)g->scan.durable};
    ledger_add_event(s, RECORD_SEALED, &sealed);
    scan_fini(&g->scan);
    g->scanning = false;
    if (g->kind == SEGMENT_DATA)
        writers_tail_done(s, g);
}

/* Reads on in one segment; true: there may be more. */
static bool
absorb(struct log_store *s, struct store_segment *g, uint64_t budget)
{
    struct scan_record r;
    struct err e;
    uint64_t octets = 0;

    while (g->summary.fd >= 0 && summaries_read(s, g, &octets))
        if (octets > SUMMARY_BUDGET)
            return true;
    uint64_t stop = g->scan.at + budget;
    for (;;) {
        switch (scan_next(&g->scan, &r, &e)) {
        case SCAN_RECORD:
            record_seen(s, g, &r);
            break;
        case SCAN_CORRUPT:
            store_corrupt(s, g, r.offset, "bytes that had been durable");
            summaries_spoil(g);
            s->suspicious = true;
            break;
        case SCAN_ERROR:
            store_trouble(s, &e);
            summaries_spoil(g);
            g->damaged = true;
            s->suspicious = true;
            g->scan.at = g->scan.limit;
            g->scan.left = 0;
            break;
        case SCAN_END:
            if (g->state != SEGMENT_OPEN)
                read_to_end(s, g);
            return false;
        }
        if (g->scan.at > stop)
            return true;
    }
}

static bool
is_readable(const struct store_segment *g)
{
    if (g == NULL || !g->scanning || g->busy)
        return false;
    if (g->state == SEGMENT_OPEN)
        return g->scan.at < g->scan.limit;
    return g->state == SEGMENT_READING || g->state == SEGMENT_TAIL;
}

void
absorb_turn(struct log_store *s)
{
    if (!s->reading)
        return;
    s->reading = false;
    for (size_t i = 0; i < s->n_segments; i++)
        if (is_readable(s->segments[i]) && absorb(s, s->segments[i], BUDGET))
            s->reading = true;
    if (s->reading || s->recovered || !s->called)
        return;
    for (size_t i = 0; i < s->n_segments; i++) {
        const struct store_segment *g = s->segments[i];
        if (g != NULL &&
            (g->state == SEGMENT_TAIL || g->state == SEGMENT_READING))
            return;
    }
    recover_finish(s);
}
