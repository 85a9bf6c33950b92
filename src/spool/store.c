/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/store_internal.h"

enum { RESERVE_OF_SPACE = 8, SEGMENT_MAX = 1 << 30 };

void
store_submit(struct log_store *s, enum lane lane, struct task *task)
{
    s->tasks++;
    s->setup.executor.submit(s->setup.executor.ctx, lane, task);
}

void
store_trouble(struct log_store *s, const struct err *e)
{
    s->setup.on_trouble(s->setup.ctx, e);
}

void
store_corrupt(struct log_store *s, const struct store_segment *g,
              uint64_t offset, const char *what)
{
    char name[STORE_NAME];
    segment_name(name, g->number);
    s->setup.on_corrupt(s->setup.ctx, name, offset, what);
}

/* The order within a turn: what came in, what became of it into the file,
 * then whatever that makes possible. */
static void
turn(struct spool_store *base, struct instant now)
{
    struct log_store *s = store_of(base);
    s->now = now;
    absorb_turn(s);
    mover_turn(s);
    ledger_turn(s);
    segments_retire(s);
    larges_turn(s);
    segments_supply(s);
    ledger_turn(s); // for those who just found that they wait for it
    leases_turn(s);
}

static int64_t
wake(const struct spool_store *base)
{
    const struct log_store *s = (const struct log_store *)base;
    const struct ledger *l = &s->ledger;
    int64_t at;

    if (s->reading)
        return 0;
    at = mover_wake(s);
    if (l->sync == NULL && l->n_dirty > 0)
        at = l->urgent ? 0
             : l->unsynced_since + LEDGER_SYNC_MS < at
                 ? l->unsynced_since + LEDGER_SYNC_MS
                 : at;
    if (s->pressure != SPOOL_PRESSURE_NONE && s->make_again < at)
        at = s->make_again;
    return at;
}

bool
spool_log_store_idle(const struct spool_store *base)
{
    const struct log_store *s = (const struct log_store *)base;
    return s->tasks == 0 && !s->reading && s->mover != NULL && !mover_busy(s) &&
           s->ledger.durable == s->ledger.added && s->doomed == NULL;
}

static void
free_lists(struct log_store *s)
{
    struct str key;
    void *value;
    while (s->writers != NULL) {
        struct store_writer *w = s->writers;
        s->writers = w->next;
        free(w);
    }
    while (s->doomed != NULL) {
        struct store_large *l = s->doomed;
        s->doomed = l->next;
        free(l);
    }
    for (size_t i = 0; map_next(&s->larges, &i, &key, &value);)
        free(value);
    map_fini(&s->larges);
    for (size_t i = 0; map_next(&s->holds, &i, &key, &value);) {
        buf_fini(value);
        free(value);
    }
    map_fini(&s->holds);
    for (size_t i = 0; i < s->n_payments; i++)
        buf_fini(&s->payments[i]);
    free(s->payments);
    free(s->owing);
}

static void
store_free(struct spool_store *base)
{
    struct log_store *s = store_of(base);

    assert(s->tasks == 0);
    leases_close(s);
    mover_free(s);
    ledger_fini(s);
    for (size_t i = 0; i < s->n_segments; i++)
        if (s->segments[i] != NULL)
            segment_forget(s, s->segments[i]);
    free(s->segments);
    free_lists(s);
    table_fini(&s->table);
    free(s);
}

static const struct spool_store_ops ops = {
    .claim = log_store_claim,
    .next_due = log_store_next_due,
    .settle = log_store_settle,
    .unlease = log_store_unlease,
    .lease = log_store_lease,
    .handed = log_store_handed,
    .crashed = log_store_crashed,
    .expand = log_store_expand,
    .hold = log_store_hold,
    .release = log_store_release,
    .reschedule = log_store_reschedule,
    .remove = log_store_remove,
    .next_notice = log_store_next_notice,
    .notice_declined = log_store_notice_declined,
    .notices_again = log_store_notices_again,
    .ids = log_store_ids,
    .list = log_store_list,
    .show = log_store_show,
    .count = log_store_count,
    .turn = turn,
    .wake = wake,
    .read = log_store_read,
    .free = store_free,
};

static uint64_t
power_of_two(uint64_t size)
{
    uint64_t p = STORE_SEGMENT_MIN;
    while (p * 2 <= size && p * 2 <= SEGMENT_MAX)
        p *= 2;
    return p;
}

struct spool_store *
spool_log_store_open(const struct spool_log_setup *setup, struct err *e)
{
    struct log_store *s = alloc_zero(sizeof *s);
    int64_t space = setup->disk->free_space(setup->disk->self, setup->dir);

    s->base.ops = &ops;
    s->setup = *setup;
    s->setup.segment_size = power_of_two(setup->segment_size);
    s->make_size = s->setup.segment_size < STORE_SEGMENT_FIRST
                       ? s->setup.segment_size
                       : STORE_SEGMENT_FIRST;
    s->reserve = setup->reserve;
    if (space >= 0 && s->reserve > (uint64_t)space / RESERVE_OF_SPACE)
        s->reserve = (uint64_t)space / RESERVE_OF_SPACE;
    s->ledger.next_ordinal = 1;
    table_init(&s->table);
    mover_new(s);
    if (numbers_open(s, e) && recover(s, e))
        return &s->base;
    store_free(&s->base);
    return NULL;
}

int
spool_log_store_grant(struct spool_store *base, uint64_t segment)
{
    struct log_store *s = store_of(base);
    const struct disk *disk = s->setup.disk;
    struct store_segment *g = segment_find(s, segment);
    char name[STORE_NAME];

    if (g == NULL || (g->kind != SEGMENT_DATA && g->kind != SEGMENT_COPY))
        return -1;
    segment_name(name, g->number);
    if (g->read_fd < 0)
        g->read_fd = disk->open(disk->self, s->setup.dir, name, DISK_READ);
    g->grants += g->read_fd >= 0;
    return g->read_fd;
}

void
spool_log_store_ungrant(struct spool_store *base, uint64_t segment)
{
    struct store_segment *g = segment_find(store_of(base), segment);
    if (g == NULL || g->grants == 0)
        return;
    g->grants--;
    g->forget_asked = g->forget_asked && g->grants > 0;
}

void
spool_log_store_usage(const struct spool_store *base,
                      struct spool_log_usage *out)
{
    const struct log_store *s = (const struct log_store *)base;
    *out = (struct spool_log_usage){
        .messages = s->table.count - s->table.ghosts,
        .recipients = s->table.rcpts,
        .memory = table_memory(&s->table),
        .recovered = s->recovered,
        .moved = s->moved,
    };
    for (size_t i = 0; i < s->n_segments; i++) {
        const struct store_segment *g = s->segments[i];
        if (g == NULL)
            continue;
        out->segments++;
        out->spare += g->state == SEGMENT_READY;
        out->disk_bytes += g->size;
        out->live_bytes += g->live_bytes;
    }
}
