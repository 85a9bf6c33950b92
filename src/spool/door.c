/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/door_internal.h"

enum {
    /* Beyond that a batch is written although a sync is under way, so that
     * waiting content does not use the memory up. */
    WRITE_THROUGH = 4 << 20,
};

static struct log_door *
door_of(struct spool_door *d)
{
    return (struct log_door *)d;
}

static struct spool_message *
begin(struct spool_door *base, const struct envelope *e, enum spool_result *why)
{
    struct log_door *d = door_of(base);

    *why = SPOOL_OK;
    if (d->failures >= DOOR_CLOSED_AFTER)
        *why = SPOOL_CLOSED;
    else if (d->full || d->writer == 0 || !door_has_room(d))
        *why = SPOOL_FULL;
    if (*why != SPOOL_OK)
        return NULL;
    struct door_message *m = alloc_zero(sizeof *m);
    m->base.door = base;
    m->id = (struct msgid){d->writer, ++d->seq};
    envelope_encode(&m->envelope, e);
    d->messages++;
    return &m->base;
}

void
door_ready(struct log_door *d, struct door_message *m)
{
    if (m->failed != SPOOL_OK) {
        door_list_add(&d->refused, m);
        return;
    }
    door_list_add(&d->committed, m);
    d->committed_bytes += m->pending;
}

static void
turn(struct spool_door *base)
{
    struct log_door *d = door_of(base);
    struct door_list refused = d->refused;
    struct door_message *m;

    // What an answer's callback commits belongs to the next turn.
    if (refused.first == NULL)
        door_list_init(&refused);
    door_list_init(&d->refused);
    while ((m = door_list_take(&refused)) != NULL)
        door_answer(d, m, m->failed);

    if (d->current != NULL && d->current->syncing &&
        d->committed_bytes < WRITE_THROUGH) {
        door_sync(d); // an earlier segment may still owe one
        return;
    }
    while ((m = door_list_take(&d->committed)) != NULL) {
        m->failed = d->failures >= DOOR_CLOSED_AFTER ? SPOOL_CLOSED
                    : door_place(d, m)               ? SPOOL_OK
                                                     : SPOOL_FULL;
        if (m->failed != SPOOL_OK)
            door_list_add(&d->refused, m);
    }
    d->committed_bytes = 0;
    door_flush(d);
    door_sync(d);
    if (d->refused.first != NULL) {
        refused = d->refused;
        door_list_init(&d->refused);
        while ((m = door_list_take(&refused)) != NULL)
            door_answer(d, m, m->failed);
    }
}

static void
free_messages(struct door_list *l)
{
    struct door_message *m;
    while ((m = door_list_take(l)) != NULL) {
        if (m->spill != NULL) {
            format_running_free(m->spill->sum);
            free(m->spill);
        }
        door_message_free(m);
    }
}

static void
door_free(struct spool_door *base)
{
    struct log_door *d = door_of(base);
    const struct disk *disk = d->setup.disk;

    assert(d->tasks == 0);
    free_messages(&d->committed);
    free_messages(&d->refused);
    while (d->segments != NULL) {
        struct door_segment *s = d->segments;
        d->segments = s->next;
        free_messages(&s->batch);
        free_messages(&s->tickets);
        (void)disk->close(disk->self, s->out.fd);
        append_fini(&s->out);
        free(s);
    }
    while (d->larges != NULL) {
        struct door_large *l = d->larges;
        d->larges = l->next;
        if (l->fd >= 0)
            (void)disk->close(disk->self, l->fd);
        free(l);
    }
    buf_fini(&d->meta);
    free(d->pieces);
    free(d);
}

static const struct spool_door_ops ops = {
    .begin = begin,
    .message_id = log_door_message_id,
    .chunk = log_door_chunk,
    .message_size = log_door_message_size,
    .commit = log_door_commit,
    .abort = log_door_abort,
    .turn = turn,
    .free = door_free,
};

struct spool_door *
spool_log_door_new(const struct spool_log_door_setup *setup)
{
    struct log_door *d = alloc_zero(sizeof *d);
    d->base.ops = &ops;
    d->setup = *setup;
    door_list_init(&d->committed);
    door_list_init(&d->refused);
    return &d->base;
}

uint64_t
spool_log_door_number(const struct spool_door *d)
{
    return ((const struct log_door *)d)->writer;
}

void
spool_log_door_writer(struct spool_door *base, uint64_t writer)
{
    struct log_door *d = door_of(base);
    if (d->writer == 0) // ids of ours are out: the number stays for good
        d->writer = writer;
}

void
spool_log_door_segment(struct spool_door *base, uint64_t segment,
                       uint64_t generation, uint64_t size, int fd)
{
    struct log_door *d = door_of(base);
    struct door_segment **at = &d->segments;
    struct door_segment *s = alloc_zero(sizeof *s);

    s->door = d;
    append_init(&s->out, d->setup.disk, fd,
                (struct format_seed){segment, generation}, size);
    door_list_init(&s->batch);
    door_list_init(&s->tickets);
    while (*at != NULL)
        at = &(*at)->next;
    *at = s;
}

void
spool_log_door_large(struct spool_door *base, uint64_t large, int fd)
{
    struct log_door *d = door_of(base);
    struct door_large *l = alloc_zero(sizeof *l);
    *l = (struct door_large){.next = d->larges, .number = large, .fd = fd};
    d->larges = l;
}

void
spool_log_door_full(struct spool_door *d, bool full)
{
    door_of(d)->full = full;
}

void
spool_log_door_holding(struct spool_door *base, spool_holding_fn fn, void *ctx)
{
    const struct log_door *d = door_of(base);
    for (const struct door_segment *s = d->segments; s != NULL; s = s->next)
        fn(ctx, s->out.seed.segment, s->out.seed.generation, s->out.durable, 0);
    for (const struct door_large *l = d->larges; l != NULL; l = l->next)
        fn(ctx, 0, 0, 0, l->number);
}

bool
spool_log_door_idle(const struct spool_door *base)
{
    const struct log_door *d = (const struct log_door *)base;
    return d->messages == 0 && d->tasks == 0;
}
