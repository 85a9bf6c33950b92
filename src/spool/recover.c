/* SPDX-License-Identifier: ISC */
/*
 * The start. The folder is read as foreign: what is not ours is left alone,
 * what is damaged is reported, the rest is served. Ledgers are replayed first,
 * so that a message is known to be done, deferred or held before its record is
 * read. Segments whose writers may still live are in doubt until the roll is
 * called; then their tails are read as well.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "spool/io.h"
#include "spool/store_internal.h"

struct numbers {
    uint64_t *list;
    size_t n, cap;
};

struct names {
    struct numbers segments, larges, summaries;
};

/* A name of ours is a word and a number. */
static bool
take_name(struct numbers *all, struct str prefix, struct str name)
{
    uint64_t number;
    if (!str_skip(&name, prefix) || !str_to_u64(name, &number))
        return false;
    if (all->n == all->cap) {
        all->cap = all->cap * 2 + 64;
        all->list = alloc_resize(all->list, all->cap * sizeof *all->list);
    }
    all->list[all->n++] = number;
    return true;
}

static void
on_name(void *ctx, const char *name)
{
    struct names *all = ctx;
    struct str s = str_from(name);

    (void)(take_name(&all->segments, STR("segment-"), s) ||
           take_name(&all->larges, STR("large-"), s) ||
           take_name(&all->summaries, STR("summary-"), s));
}

static bool
is_blank(const unsigned char *block)
{
    for (size_t i = 0; i < FORMAT_BLOCK; i++)
        if (block[i] != 0)
            return false;
    return true;
}

/* OPEN (by a ledger or the mover, whose process has ended) or DOUBT. */
static void
take_segment(struct log_store *s, const struct segment_header *h, int fd,
             uint64_t size)
{
    struct store_segment *g = segment_new(s, h->segment, fd, h->size);
    g->generation = h->generation;
    g->writer = h->writer;
    g->kind = h->kind;
    g->ordinal = (uint32_t)h->ordinal;
    if (h->kind == SEGMENT_LEDGER) {
        g->state = SEGMENT_SEALED;
        if (g->ordinal >= s->ledger.next_ordinal)
            s->ledger.next_ordinal = g->ordinal + 1;
    } else {
        g->state = SEGMENT_DOUBT;
    }
    if (size >= h->size)
        return; // more than there should be does no harm
    g->size = size;
    store_corrupt(s, g, size, "its end: the file is shorter than it was made");
    s->suspicious = true;
}

/* false: the disk failed; *e. A file that is no good is reported and stays. */
static bool
open_segment(struct log_store *s, uint64_t number, struct err *e)
{
    const struct disk *disk = s->setup.disk;
    unsigned char block[FORMAT_BLOCK];
    struct segment_header h;
    char name[STORE_NAME];

    segment_name(name, number);
    int fd = disk->open(disk->self, s->setup.dir, name, DISK_WRITE);
    if (fd < 0)
        return err_sys(e, "open", name);
    int64_t size = disk->size(disk->self, fd);
    bool whole = size >= FORMAT_BLOCK &&
                 io_read(disk, fd, block, sizeof block, 0, name, e);
    bool known = whole && format_parse_header(block, &h) &&
                 h.segment == number && h.ordinal < TABLE_NONE;
    if (known && h.kind != SEGMENT_SPARE) {
        take_segment(s, &h, fd, (uint64_t)size);
        return numbers_skip(s, h.writer, e);
    }
    // Real ones with a header lost have a first batch right behind it.
    bool blank =
        whole && is_blank(block) &&
        (size < 2 * (int64_t)FORMAT_BLOCK ||
         (io_read(disk, fd, block, sizeof block, FORMAT_BLOCK, name, e) &&
          is_blank(block)));
    (void)disk->close(disk->self, fd);
    // No header: it was being made. A spare one is made anew as well: if the
    // sync of its zeros had failed, the kernel shows them and does not have
    // them, and what is written between them would be lost with the power.
    if (!whole || blank || (known && h.kind == SEGMENT_SPARE)) {
        (void)disk->unlink(disk->self, s->setup.dir, name);
    } else {
        s->setup.on_corrupt(s->setup.ctx, name, 0, "its header");
        s->suspicious = true;
    }
    return true;
}

/* Records that no later one says are durable, in the order of their numbers:
 * a sync may have failed on them just before the last queue died, and then
 * what is read here is in memory only. They are written once more. */
struct unsure {
    size_t *ends; /* of each, in ledger.records */
    uint64_t *offsets;
    uint32_t *ordinals;
    size_t n, cap;
    bool any;  /* a record was seen at all */
    bool gaps; /* damage was met: numbers may jump */
};

static void
add_unsure(struct log_store *s, struct unsure *u, const struct store_segment *g,
           const struct scan_record *r)
{
    if (u->n == u->cap) {
        u->cap = u->cap * 2 + 256;
        u->ends = alloc_resize(u->ends, u->cap * sizeof *u->ends);
        u->offsets = alloc_resize(u->offsets, u->cap * sizeof *u->offsets);
        u->ordinals = alloc_resize(u->ordinals, u->cap * sizeof *u->ordinals);
    }
    ledger_add(s, (enum record_type)r->type, r->meta);
    u->ends[u->n] = s->ledger.records.n;
    u->offsets[u->n] = r->offset;
    u->ordinals[u->n++] = g->ordinal;
}

/* All before this offset of this ledger is durable, and so are the ledgers
 * before it. */
static void
sure_upto(struct log_store *s, struct unsure *u, const struct store_segment *g,
          uint64_t durable)
{
    size_t k = 0;
    if (durable <= FORMAT_BLOCK)
        return;
    while (k < u->n && (u->ordinals[k] < g->ordinal || u->offsets[k] < durable))
        k++;
    if (k == 0)
        return;
    size_t octets = u->ends[k - 1];
    buf_consume(&s->ledger.records, octets);
    u->n -= k;
    for (size_t i = 0; i < u->n; i++) {
        u->ends[i] = u->ends[i + k] - octets;
        u->offsets[i] = u->offsets[i + k];
        u->ordinals[i] = u->ordinals[i + k];
    }
}

/* Numbers are contiguous over all ledgers. One that was read already was
 * written twice; one that is too high was written behind others that are lost,
 * so nobody was promised anything by it. */
static bool
is_next(const struct log_store *s, struct unsure *u, uint64_t seq)
{
    bool next =
        !u->any || seq == s->ledger.added || (u->gaps && seq > s->ledger.added);
    u->any = true;
    return next;
}

/* Synced before it is believed: what only the page cache has is not yet a
 * reason to forget anything. */
static bool
replay(struct log_store *s, struct store_segment *g, struct unsure *u,
       struct err *e)
{
    const struct disk *disk = s->setup.disk;
    struct scan scan;
    struct scan_record r;
    enum scan_result got;

    if (disk->sync(disk->self, g->fd) != 0)
        return err_sys(e, "sync", "ledger");
    segment_scan(s, g, &scan);
    scan.gap = true;
    while ((got = scan_next(&scan, &r, e)) != SCAN_END && got != SCAN_ERROR) {
        if (got == SCAN_CORRUPT) {
            store_corrupt(s, g, r.offset, "bytes that had been durable");
            u->gaps = true;
        } else if (is_next(s, u, r.seq)) {
            s->ledger.added = r.seq; // counted up by the next line
            add_unsure(s, u, g, &r);
            if (r.type > RECORD_MESSAGE && r.type < RECORD_TYPES)
                notes_replay(s, (enum record_type)r.type, r.meta, g, r.offset);
        }
        sure_upto(s, u, g, scan.durable);
    }
    g->end = scan.at;
    scan_fini(&scan);
    return got == SCAN_END;
}

static bool
replay_ledgers(struct log_store *s, struct err *e)
{
    struct unsure u = {0};
    uint64_t below = 0;
    bool ok = true;
    while (ok) {
        struct store_segment *next = NULL;
        for (size_t i = 0; i < s->n_segments; i++) {
            struct store_segment *g = s->segments[i];
            if (g->kind == SEGMENT_LEDGER && g->ordinal >= below &&
                (next == NULL || g->ordinal < next->ordinal))
                next = g;
        }
        if (next == NULL)
            break;
        ok = replay(s, next, &u, e);
        below = (uint64_t)next->ordinal + 1;
    }
    s->ledger.written = s->ledger.durable = s->ledger.added - u.n;
    free(u.ends);
    free(u.offsets);
    free(u.ordinals);
    return ok;
}

/* Known ends are read at once, copies of ours too; other writers may live. */
static void
start_reading(struct log_store *s)
{
    for (size_t i = 0; i < s->n_segments; i++) {
        struct store_segment *g = s->segments[i];
        if (g->kind != SEGMENT_LEDGER && !segment_is_cut(g))
            summaries_find(s, g);
        if (g->state == SEGMENT_READING)
            absorb_limit(s, g);
        else if (g->state == SEGMENT_DOUBT && g->kind == SEGMENT_COPY)
            writers_sync_tail(s, g);
    }
}

bool
recover(struct log_store *s, struct err *e)
{
    const struct disk *disk = s->setup.disk;
    struct names names = {0};
    bool ok = true;

    if (disk->list(disk->self, s->setup.dir, on_name, &names) != 0)
        ok = err_sys(e, "list", "spool folder");
    for (size_t i = 0; ok && i < names.segments.n; i++)
        ok = numbers_skip(s, names.segments.list[i], e) &&
             open_segment(s, names.segments.list[i], e);
    for (size_t i = 0; ok && i < names.larges.n; i++) {
        ok = numbers_skip(s, names.larges.list[i], e);
        larges_found(s, names.larges.list[i]);
    }
    for (size_t i = 0; ok && i < names.summaries.n; i++)
        if (segment_find(s, names.summaries.list[i]) == NULL)
            summaries_unlink(s, names.summaries.list[i]);
    free(names.segments.list);
    free(names.larges.list);
    free(names.summaries.list);
    ok = ok && replay_ledgers(s, e) && leases_open(s, e);
    if (ok)
        start_reading(s);
    return ok;
}

void
recover_finish(struct log_store *s)
{
    s->recovered = true;
    for (uint32_t i = 0; table_next(&s->table, &i); i++) {
        const struct table_entry *e = table_at(&s->table, i);
        if (e->segment != TABLE_NONE)
            continue;
        notes_drop_hold(s, e->id);
        notes_untouch(s, i);
        table_remove(&s->table, i);
    }
    for (size_t i = 0; i < s->n_payments; i++) {
        notices_pay(s, buf_str(&s->payments[i]));
        buf_fini(&s->payments[i]);
    }
    free(s->payments);
    s->payments = NULL;
    s->n_payments = s->cap_payments = 0;
    leases_recovered(s);
    if (!s->suspicious)
        larges_bury(s, 0);
}
