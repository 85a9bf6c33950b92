/* SPDX-License-Identifier: ISC */
/*
 * Who appends: the doors. What a writer says is checked like a stranger's
 * word; its segments go OPEN -> READING -> SEALED when it seals them, OPEN or
 * DOUBT -> TAIL -> SEALED when it dies.
 *
 * A large file is in a writer's hands until a record that was read names it,
 * or the writer gives it back or dies; after that it lives and ends with its
 * message. It is unlinked only when the end of that message is durable.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/store_internal.h"

struct store_writer *
writer_find(const struct log_store *s, uint64_t number)
{
    struct store_writer *w = s->writers;
    while (w != NULL && w->number != number)
        w = w->next;
    return w;
}

uint64_t
spool_log_store_attach(struct spool_store *base, uint64_t writer, bool notices)
{
    struct log_store *s = store_of(base);
    struct store_writer *w = writer != 0 ? writer_find(s, writer) : NULL;

    if (w != NULL)
        return w->dead ? 0 : writer;
    if (writer >= s->numbers.next)
        return 0; // we never gave that out
    if (writer == 0 && (writer = numbers_take(s)) == 0)
        return 0;
    w = alloc_zero(sizeof *w);
    *w = (struct store_writer){
        .next = s->writers, .number = writer, .notices = notices};
    s->writers = w;
    return writer;
}

bool
spool_log_store_holding(struct spool_store *base, uint64_t writer,
                        uint64_t segment, uint64_t generation, uint64_t offset,
                        uint64_t large)
{
    struct log_store *s = store_of(base);
    struct store_writer *w = writer_find(s, writer);

    if (w == NULL || w->dead)
        return false;
    if (large != 0) {
        struct store_large *l = larges_find(s, large);
        if (l != NULL && l->writer == 0) {
            l->writer = writer;
            w->larges++;
        }
        return true; // none: its record was read, or it is not ours
    }
    struct store_segment *g = segment_find(s, segment);
    if (g == NULL || g->kind != SEGMENT_DATA || g->writer != writer ||
        g->generation != generation || offset > g->size)
        return false;
    if (g->state != SEGMENT_DOUBT)
        return g->state == SEGMENT_OPEN;
    g->state = SEGMENT_OPEN;
    return spool_log_store_watermark(base, writer, segment, generation, offset);
}

void
spool_log_store_supply(struct spool_store *base, uint64_t writer)
{
    struct store_writer *w = writer_find(store_of(base), writer);
    if (w != NULL)
        w->supplied = true;
}

bool
spool_log_store_watermark(struct spool_store *base, uint64_t writer,
                          uint64_t segment, uint64_t generation,
                          uint64_t offset)
{
    struct log_store *s = store_of(base);
    struct store_segment *g = segment_find(s, segment);

    if (g == NULL || g->kind != SEGMENT_DATA || g->writer != writer ||
        g->generation != generation || g->state != SEGMENT_OPEN ||
        offset < FORMAT_BLOCK || offset > g->size)
        return false;
    if (offset > g->durable)
        g->durable = offset;
    absorb_limit(s, g);
    return true;
}

/* OPEN -> READING: the writer is through with it. */
bool
spool_log_store_sealed(struct spool_store *base, uint64_t writer,
                       uint64_t segment, uint64_t generation, uint64_t offset)
{
    struct log_store *s = store_of(base);
    struct store_segment *g = segment_find(s, segment);

    if (!spool_log_store_watermark(base, writer, segment, generation, offset))
        return false;
    g->state = SEGMENT_READING;
    g->end = g->durable;
    // The faster they fill, the larger the next ones.
    if (g->size >= s->make_size && s->make_size < s->setup.segment_size)
        s->make_size *= 2;
    absorb_limit(s, g);
    return true;
}

/* ---- the end of a writer ------------------------------------------------- */

struct tail_task {
    struct task task; /* must be first */
    struct log_store *store;
    struct store_segment *segment;
    bool ok;
    struct err error;
};

static void
run_tail(struct task *task)
{
    struct tail_task *x = (struct tail_task *)task;
    const struct disk *disk = x->store->setup.disk;
    x->ok = disk->sync(disk->self, x->segment->fd) == 0 ||
            err_sys(&x->error, "sync", "segment");
}

static void
tail_synced(struct task *task)
{
    struct tail_task *x = (struct tail_task *)task;
    struct log_store *s = x->store;
    s->tasks--;
    x->segment->busy = false;
    // Even when that failed: who was answered has his message in the durable
    // part, and what is read beyond it was completely submitted.
    if (!x->ok)
        store_trouble(s, &x->error);
    absorb_limit(s, x->segment);
    free(x);
}

/* OPEN or DOUBT -> TAIL: nobody writes to it any more. */
void
writers_sync_tail(struct log_store *s, struct store_segment *g)
{
    struct tail_task *x = alloc_zero(sizeof *x);
    *x = (struct tail_task){
        .task = {run_tail, tail_synced},
          .store = s, .segment = g
    };
    g->state = SEGMENT_TAIL;
    g->busy = true;
    store_submit(s, LANE_FILE, &x->task);
}

static bool
has_tails(const struct log_store *s, uint64_t writer)
{
    for (size_t i = 0; i < s->n_segments; i++) {
        const struct store_segment *g = s->segments[i];
        if (g != NULL && g->kind == SEGMENT_DATA && g->writer == writer &&
            (g->state == SEGMENT_TAIL || g->state == SEGMENT_READING))
            return true;
    }
    return false;
}

/* Large files that were in its hands and that no record names go. */
static void
bury(struct log_store *s, uint64_t writer)
{
    struct store_writer **at = &s->writers;
    while (*at != NULL && (*at)->number != writer)
        at = &(*at)->next;
    if (*at == NULL || !(*at)->dead || has_tails(s, writer))
        return;
    if (!s->suspicious)
        larges_bury(s, writer);
    struct store_writer *w = *at;
    *at = w->next;
    free(w);
}

void
writers_tail_done(struct log_store *s, struct store_segment *g)
{
    bury(s, g->writer);
}

void
spool_log_store_died(struct spool_store *base, uint64_t writer)
{
    struct log_store *s = store_of(base);
    struct store_writer *w = writer_find(s, writer);

    if (w == NULL || w->dead)
        return;
    w->dead = true;
    for (size_t i = 0; i < s->n_segments; i++) {
        struct store_segment *g = s->segments[i];
        if (g != NULL && g->kind == SEGMENT_DATA && g->writer == writer &&
            (g->state == SEGMENT_OPEN || g->state == SEGMENT_DOUBT))
            writers_sync_tail(s, g);
    }
    bury(s, writer);
}

void
spool_log_store_roll_call(struct spool_store *base)
{
    struct log_store *s = store_of(base);
    s->called = true;
    s->reading = true; // even where there is nothing: that is known then
    for (size_t i = 0; i < s->n_segments; i++)
        if (s->segments[i] != NULL && s->segments[i]->state == SEGMENT_DOUBT)
            writers_sync_tail(s, s->segments[i]);
}
