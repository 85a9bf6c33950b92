/* SPDX-License-Identifier: ISC */
/*
 * The set of segments and how they change hands. Transitions (docs/spool.md):
 *
 *     make    nothing -> READY     zero-filled, header of nobody, name: synced
 *     stamp   READY -> OPEN        header of its owner, synced, then given
 *     retire  SEALED -> READY      all ends of its messages durable, header of
 *                                  the next generation synced; only then do
 *                                  the ledgers with those ends become needless
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/io.h"
#include "spool/store_internal.h"

enum {
    ZEROS = 64 << 10,
    ZEROS_AT_ONCE = 16,
    KEEP_READY = 4,
    OF_FREE_SPACE = 8,
};

void
segment_name(char out[STORE_NAME], uint64_t number)
{
    (void)snprintf(out, STORE_NAME, "segment-%llu", (unsigned long long)number);
}

struct format_seed
segment_seed(const struct store_segment *g)
{
    return (struct format_seed){g->number, g->generation};
}

bool
segment_is_cut(const struct store_segment *g)
{
    return g->size < g->made;
}

void
segment_scan(const struct log_store *s, const struct store_segment *g,
             struct scan *scan)
{
    // A batch that was whole when it was written is read as far as it goes.
    scan_init(scan, s->setup.disk, g->fd, segment_seed(g), g->made);
    scan->limit = g->size;
}

struct store_segment *
segment_new(struct log_store *s, uint64_t number, int fd, uint64_t size)
{
    struct store_segment *g = alloc_zero(sizeof *g);
    size_t i = 0;
    while (i < s->n_segments && s->segments[i] != NULL)
        i++;
    if (i == s->n_segments) {
        s->segments =
            alloc_resize(s->segments, (i + 1) * sizeof(struct store_segment *));
        s->n_segments++;
    }
    s->segments[i] = g;
    *g = (struct store_segment){.index = (uint32_t)i,
                                .number = number,
                                .generation = 1,
                                .size = size,
                                .made = size,
                                .fd = fd,
                                .read_fd = -1,
                                .summary.fd = -1,
                                .durable = FORMAT_BLOCK,
                                .end = FORMAT_BLOCK,
                                .tomb_since = TABLE_NONE};
    return g;
}

void
segment_forget(struct log_store *s, struct store_segment *g)
{
    const struct disk *disk = s->setup.disk;
    if (g->scanning)
        scan_fini(&g->scan);
    summaries_drop(s, g);
    (void)disk->close(disk->self, g->fd);
    if (g->read_fd >= 0)
        (void)disk->close(disk->self, g->read_fd);
    s->segments[g->index] = NULL;
    free(g);
}

struct store_segment *
segment_find(const struct log_store *s, uint64_t number)
{
    for (size_t i = 0; i < s->n_segments; i++)
        if (s->segments[i] != NULL && s->segments[i]->number == number)
            return s->segments[i];
    return NULL;
}

uint32_t
segments_first_ledger(const struct log_store *s)
{
    uint32_t first = TABLE_NONE;
    for (size_t i = 0; i < s->n_segments; i++) {
        const struct store_segment *g = s->segments[i];
        if (g != NULL && g->kind == SEGMENT_LEDGER &&
            g->state != SEGMENT_STAMPING && g->ordinal < first)
            first = g->ordinal;
    }
    return first;
}

/* ---- tasks about one segment -------------------------------------------- */

enum errand { ERRAND_MAKE = 0, ERRAND_STAMP, ERRAND_RETIRE, ERRAND_DROP };

struct errand_task {
    struct task task; /* must be first */
    struct log_store *store;
    struct store_segment *segment; /* but for MAKE */
    enum errand errand;
    struct segment_header header;
    int fd;
    bool ok;
    struct err error;
};

static bool
write_header(struct errand_task *x)
{
    const struct disk *disk = x->store->setup.disk;
    unsigned char block[FORMAT_BLOCK];
    struct iovec part = {block, sizeof block};
    format_header(block, &x->header);
    if (!io_write(disk, x->fd, &part, 1, 0, "segment", &x->error))
        return false;
    return disk->sync(disk->self, x->fd) == 0 ||
           err_sys(&x->error, "sync", "segment");
}

/* Real zeros: blocks that are only reserved would have to be turned into
 * written ones by a journal commit with every sync to come. */
static bool
fill(struct errand_task *x)
{
    static const char zeros[ZEROS];
    bool ok = true;
    for (uint64_t at = 0; ok && at < x->header.size;) {
        struct iovec parts[ZEROS_AT_ONCE];
        size_t n = 0;
        uint64_t from = at;
        while (n < ZEROS_AT_ONCE && at < x->header.size) {
            // Sizes are multiples of this.
            parts[n].iov_base = (void *)(uintptr_t)zeros;
            parts[n++].iov_len = ZEROS;
            at += ZEROS;
        }
        ok = io_write(x->store->setup.disk, x->fd, parts, n, from, "segment",
                      &x->error);
    }
    return ok;
}

static bool
make(struct errand_task *x)
{
    const struct disk *disk = x->store->setup.disk;
    int dir = x->store->setup.dir;
    char name[STORE_NAME];

    segment_name(name, x->header.segment);
    x->fd = disk->open(disk->self, dir, name,
                       DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    if (x->fd < 0)
        return err_sys(&x->error, "create", name);
    if (fill(x) && write_header(x) &&
        (disk->sync(disk->self, dir) == 0 ||
         err_sys(&x->error, "sync", "spool folder")))
        return true;
    (void)disk->close(disk->self, x->fd);
    (void)disk->unlink(disk->self, dir, name);
    return false;
}

static void
run_errand(struct task *task)
{
    struct errand_task *x = (struct errand_task *)task;
    const struct disk *disk = x->store->setup.disk;
    char name[STORE_NAME];

    x->ok = x->errand == ERRAND_MAKE ? make(x) : write_header(x);
    if (x->ok && (x->errand == ERRAND_RETIRE || x->errand == ERRAND_DROP))
        summaries_unlink(x->store, x->header.segment);
    if (x->errand != ERRAND_DROP || !x->ok)
        return;
    segment_name(name, x->header.segment);
    (void)disk->unlink(disk->self, x->store->setup.dir, name);
}

/* Given to its owner, or spare again where that one has died meanwhile. */
static void
stamped(struct log_store *s, struct store_segment *g)
{
    struct store_writer *w;
    g->state = SEGMENT_OPEN;
    if (g->kind == SEGMENT_LEDGER) {
        ledger_given(s, g);
    } else if (g->kind == SEGMENT_COPY) {
        mover_given(s, g);
    } else if ((w = writer_find(s, g->writer)) != NULL && !w->dead) {
        s->setup.on_segment(s->setup.ctx, g->writer, g->number, g->generation,
                            g->size, g->fd);
    } else {
        g->state = SEGMENT_READY;
        g->kind = SEGMENT_SPARE;
        g->writer = 0;
    }
}

static void
make_spare(struct log_store *s, struct store_segment *g, uint64_t generation)
{
    const struct disk *disk = s->setup.disk;
    if (g->scanning)
        scan_fini(&g->scan);
    summaries_drop(s, g);
    if (g->read_fd >= 0)
        (void)disk->close(disk->self, g->read_fd);
    *g = (struct store_segment){.index = g->index,
                                .number = g->number,
                                .generation = generation,
                                .size = g->size,
                                .made = g->size,
                                .fd = g->fd,
                                .read_fd = -1,
                                .summary.fd = -1,
                                .durable = FORMAT_BLOCK,
                                .end = FORMAT_BLOCK,
                                .tomb_since = TABLE_NONE};
}

static void
errand_failed(struct log_store *s, struct errand_task *x)
{
    struct store_segment *g = x->segment;
    store_trouble(s, &x->error);
    s->make_again = s->now.mono_ms + STORE_RETRY_MS;
    if (g == NULL)
        return;
    if (g->kind == SEGMENT_LEDGER && x->errand == ERRAND_STAMP)
        s->ledger.next_coming = false;
    // Its header may be the old or the new one: it is used no more. What it
    // held is needless or none, so that either is right after a restart.
    g->state = SEGMENT_SEALED;
    g->damaged = true;
    if (x->errand == ERRAND_STAMP)
        g->kind = SEGMENT_SPARE;
}

static void
errand_done(struct task *task)
{
    struct errand_task *x = (struct errand_task *)task;
    struct log_store *s = x->store;
    struct store_segment *g = x->segment;

    s->tasks--;
    assert(g != NULL || x->errand == ERRAND_MAKE);
    if (g != NULL)
        g->busy = false;
    if (x->errand == ERRAND_MAKE)
        s->making = false;
    if (!x->ok)
        errand_failed(s, x);
    else if (x->errand == ERRAND_MAKE)
        (void)segment_new(s, x->header.segment, x->fd, x->header.size);
    else if (x->errand == ERRAND_STAMP)
        stamped(s, g);
    else if (x->errand == ERRAND_RETIRE)
        make_spare(s, g, x->header.generation);
    else
        segment_forget(s, g);
    free(x);
}

static void
submit(struct log_store *s, enum errand errand, struct store_segment *g,
       struct segment_header header)
{
    struct errand_task *x = alloc_zero(sizeof *x);
    *x = (struct errand_task){
        .task = {run_errand, errand_done},
        .store = s,
        .segment = g,
        .errand = errand,
        .header = header,
        .fd = g != NULL ? g->fd : -1
    };
    if (g != NULL)
        g->busy = true;
    store_submit(s, LANE_FILE, &x->task);
}

/* ---- supply -------------------------------------------------------------- */

static uint64_t
ready_bytes(const struct log_store *s, size_t *count)
{
    uint64_t sum = 0;
    *count = 0;
    for (size_t i = 0; i < s->n_segments; i++) {
        const struct store_segment *g = s->segments[i];
        if (g == NULL || g->state != SEGMENT_READY)
            continue;
        sum += g->size;
        ++*count;
    }
    return sum;
}

/* The reserve is for outcomes and notices: those take the smallest, everybody
 * else the largest that leaves the reserve whole. */
static struct store_segment *
take_spare(struct log_store *s, bool reserved)
{
    struct store_segment *best = NULL;
    size_t count;
    uint64_t sum = ready_bytes(s, &count);

    for (size_t i = 0; i < s->n_segments; i++) {
        struct store_segment *g = s->segments[i];
        if (g == NULL || g->state != SEGMENT_READY)
            continue;
        if (!reserved && sum - g->size < s->reserve)
            continue;
        if (best == NULL ||
            (reserved ? g->size < best->size : g->size > best->size))
            best = g;
    }
    return best;
}

static bool
stamp(struct log_store *s, enum segment_kind kind, uint64_t writer,
      bool reserved)
{
    struct store_segment *g = take_spare(s, reserved);
    if (g == NULL)
        return false;
    g->state = SEGMENT_STAMPING;
    g->kind = kind;
    g->writer = writer;
    if (kind == SEGMENT_LEDGER)
        g->ordinal = s->ledger.next_ordinal++;
    submit(s, ERRAND_STAMP, g,
           (struct segment_header){.segment = g->number,
                                   .generation = g->generation,
                                   .writer = writer,
                                   .ordinal = g->ordinal,
                                   .size = g->size,
                                   .kind = kind});
    return true;
}

bool
segments_want_copy(struct log_store *s)
{
    return stamp(s, SEGMENT_COPY, 0, true);
}

static size_t
held_by(const struct log_store *s, uint64_t writer)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_segments; i++) {
        const struct store_segment *g = s->segments[i];
        n += g != NULL && g->kind == SEGMENT_DATA && g->writer == writer &&
             (g->state == SEGMENT_OPEN || g->state == SEGMENT_STAMPING);
    }
    return n;
}

/* The size to make next: as the traffic wants it, but no large part of what
 * is left on the disk; 0: there is no room. */
static uint64_t
affordable(const struct log_store *s)
{
    int64_t space =
        s->setup.disk->free_space(s->setup.disk->self, s->setup.dir);
    uint64_t size = s->make_size, room;
    if (space < 0)
        return size;
    if ((uint64_t)space < s->setup.min_free)
        return 0;
    room = (uint64_t)space - s->setup.min_free;
    while (size > STORE_SEGMENT_MIN && size > room / OF_FREE_SPACE)
        size /= 2;
    return size <= room ? size : 0;
}

static void
set_pressure(struct log_store *s, enum spool_pressure level)
{
    if (s->pressure == level)
        return;
    s->pressure = level;
    s->setup.on_pressure(s->setup.ctx, level);
}

static void
make_one(struct log_store *s)
{
    uint64_t size, number;
    if (s->making || s->now.mono_ms < s->make_again)
        return;
    if ((size = affordable(s)) == 0) {
        s->make_again = s->now.mono_ms + STORE_RETRY_MS;
        return;
    }
    if ((number = numbers_take(s)) == 0)
        return;
    s->making = true;
    submit(s, ERRAND_MAKE, NULL,
           (struct segment_header){
               .segment = number, .generation = 1, .size = size});
}

void
segments_supply(struct log_store *s)
{
    size_t missing = 0, count;
    struct ledger *l = &s->ledger;

    if (l->next == NULL && !l->next_coming) {
        l->next_coming = stamp(s, SEGMENT_LEDGER, 0, true);
        missing += !l->next_coming;
    }
    for (struct store_writer *w = s->writers; w != NULL; w = w->next) {
        if (!w->supplied || w->dead)
            continue;
        for (size_t n = held_by(s, w->number); n < STORE_HELD; n++)
            if (!stamp(s, SEGMENT_DATA, w->number, w->notices)) {
                missing += STORE_HELD - n;
                break;
            }
    }
    if (missing > 0 || ready_bytes(s, &count) < s->reserve + s->make_size)
        make_one(s);
    if (missing > 0 && !s->making)
        set_pressure(s, SPOOL_PRESSURE_FULL);
    else
        set_pressure(s,
                     missing > 0 ? SPOOL_PRESSURE_SLOW : SPOOL_PRESSURE_NONE);
}

/* ---- retiring ------------------------------------------------------------ */

/* Some message ended in a segment that is still there, and says so no later
 * than in the ledger of that ordinal. */
static bool
holds_tombs(const struct log_store *s, uint32_t ordinal)
{
    for (size_t i = 0; i < s->n_segments; i++) {
        const struct store_segment *g = s->segments[i];
        if (g != NULL && g->tomb_since <= ordinal)
            return true;
    }
    return false;
}

static bool
is_needless(const struct log_store *s, const struct store_segment *g)
{
    if (g->state != SEGMENT_SEALED || g->damaged || g->busy || g->moving)
        return false;
    if (g->kind != SEGMENT_LEDGER)
        return g->live == 0;
    for (size_t i = 0; i < s->ledger.n_dirty; i++)
        if (s->ledger.dirty[i] == g)
            return false;
    return g->refs == 0 && g->ordinal == segments_first_ledger(s) &&
           !holds_tombs(s, g->ordinal);
}

/* SEALED -> RETIRING -> READY. */
static void
retire(struct log_store *s, struct store_segment *g)
{
    size_t count;
    uint64_t ready = ready_bytes(s, &count);
    bool keep =
        !segment_is_cut(g) && (count < KEEP_READY || ready < s->reserve);
    g->state = SEGMENT_RETIRING;
    submit(s, keep ? ERRAND_RETIRE : ERRAND_DROP, g,
           (struct segment_header){.segment = g->number,
                                   .generation = g->generation + 1,
                                   .size = g->size});
}

void
segments_retire(struct log_store *s)
{
    if (!s->recovered)
        return;
    for (size_t i = 0; i < s->n_segments; i++) {
        struct store_segment *g = s->segments[i];
        if (g == NULL || !is_needless(s, g))
            continue;
        if (g->ready == 0)
            g->ready = s->ledger.added + 1;
        if (s->ledger.durable + 1 < g->ready) {
            s->ledger.urgent = true;
        } else if (g->grants > 0) {
            if (!g->forget_asked)
                s->setup.on_forget(s->setup.ctx, g->number);
            g->forget_asked = true;
        } else {
            retire(s, g);
        }
    }
}
