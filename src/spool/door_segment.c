/* SPDX-License-Identifier: ISC */
/*
 * Group commit. A batch is written at the end of a turn unless a sync is under
 * way; then what arrives waits and becomes one batch with what follows. A
 * ticket is the offset behind a message's batch: it is released only by a sync
 * that was started when all of that had been written.
 *
 * Failing closed: after a failed write or sync the segment is sealed, its
 * waiters are told, and neither is tried again there. Two failures without a
 * success between them close the door.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/door_internal.h"
#include "spool/io.h"
#include "spool/record.h"

enum {
    ROOM = 512 << 10, /* octets left below which a segment counts as full */
};

void
door_answer(struct log_door *d, struct door_message *m,
            enum spool_result result)
{
    struct door_spill *s = m->spill;
    if (s != NULL) {
        // A file whose record was written stays even if that was in vain: the
        // record may come back, and must find it.
        bool written = m->ticket != 0;
        door_large_forget(d, s->file, !written);
        format_running_free(s->sum);
        free(s);
    }
    if (result == SPOOL_TROUBLE && d->failures >= DOOR_CLOSED_AFTER)
        result = SPOOL_CLOSED;
    m->on_stored(m->ctx, result, m->id);
    door_message_free(m);
}

static void
answer_all(struct log_door *d, struct door_list *l, enum spool_result result)
{
    struct door_message *m;
    while ((m = door_list_take(l)) != NULL)
        door_answer(d, m, result);
}

/* Sealed and nothing outstanding: the queue hears of it, we forget it. */
static void
retire_if_done(struct door_segment *s)
{
    struct log_door *d = s->door;
    struct door_segment **at = &d->segments;

    if (!s->sealed || s->syncing || s->tickets.first != NULL ||
        s->batch.first != NULL)
        return;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    d->setup.on_sealed(d->setup.ctx, s->out.seed.segment,
                       s->out.seed.generation, s->out.durable);
    (void)d->setup.disk->close(d->setup.disk->self, s->out.fd);
    append_fini(&s->out);
    free(s);
}

static void
seal(struct log_door *d, struct door_segment *s)
{
    s->sealed = true;
    if (d->current == s)
        d->current = NULL;
}

static void
run_sync(struct task *task)
{
    struct door_segment *s = (struct door_segment *)task;
    const struct disk *disk = s->out.disk;
    s->ok = disk->sync(disk->self, s->out.fd) == 0 ||
            err_sys(&s->error, "sync", "segment");
}

static void
sync_done(struct task *task)
{
    struct door_segment *s = (struct door_segment *)task;
    struct log_door *d = s->door;

    s->syncing = false;
    d->tasks--;
    if (!s->ok) { // waiters of this sync and of none: the bytes are lost to us
        d->failures++;
        seal(d, s);
        answer_all(d, &s->tickets, SPOOL_TROUBLE);
        retire_if_done(s);
        return;
    }
    d->failures = 0;
    s->out.durable = s->covered;
    d->setup.on_watermark(d->setup.ctx, s->out.seed.segment,
                          s->out.seed.generation, s->covered);
    while (s->tickets.first != NULL && s->tickets.first->ticket <= s->covered)
        door_answer(d, door_list_take(&s->tickets), SPOOL_OK);
    retire_if_done(s);
}

void
door_sync(struct log_door *d)
{
    for (struct door_segment *s = d->segments; s != NULL; s = s->next) {
        if (s->syncing || s->tickets.first == NULL)
            continue;
        s->covered = s->out.at;
        s->syncing = true;
        s->task = (struct task){run_sync, sync_done};
        d->tasks++;
        d->setup.executor.submit(d->setup.executor.ctx, LANE_SYNC, &s->task);
    }
}

/* false: the write failed; the segment is sealed, and gone if nothing in it is
 * waited for. */
static bool
write_batch(struct log_door *d, struct door_segment *s)
{
    struct door_message *m;
    struct err e;

    if (s->batch.first == NULL)
        return true;
    if (append_write(&s->out, &e)) {
        while ((m = door_list_take(&s->batch)) != NULL) {
            m->ticket = s->out.at;
            door_message_drop_content(m);
            door_list_add(&s->tickets, m);
        }
        return true;
    }
    bool full = io_is_full(&e);
    d->failures += !full;
    seal(d, s);
    // Part of it may be in the file: a large file it names must stay.
    for (m = s->batch.first; m != NULL; m = m->next)
        m->ticket = s->out.at;
    answer_all(d, &s->batch, full ? SPOOL_FULL : SPOOL_TROUBLE);
    retire_if_done(s);
    return false;
}

void
door_flush(struct log_door *d)
{
    if (d->current != NULL)
        (void)write_batch(d, d->current);
}

/* The next segment in stock that has not been written to. */
static struct door_segment *
next_spare(struct log_door *d)
{
    struct door_segment *s = d->segments;
    while (s != NULL && (s->sealed || s == d->current))
        s = s->next;
    return s;
}

static struct door_segment *
segment_for(struct log_door *d, uint64_t meta, uint64_t content)
{
    struct door_segment *spare;

    if (d->current != NULL && append_fits(&d->current->out, meta, content))
        return d->current;
    spare = next_spare(d);
    if (spare == NULL || !append_fits_size(spare->out.size, meta, content))
        return NULL;
    struct door_segment *full = d->current;
    if (full != NULL && write_batch(d, full)) {
        seal(d, full);
        retire_if_done(full);
    }
    d->current = spare;
    return spare;
}

static size_t
gather(struct log_door *d, const struct door_message *m)
{
    size_t n = 0;
    for (const struct door_block *b = m->first; b != NULL; b = b->next) {
        if (n == d->cap_pieces) {
            d->cap_pieces = d->cap_pieces * 2 + 16;
            d->pieces =
                alloc_resize(d->pieces, d->cap_pieces * sizeof *d->pieces);
        }
        d->pieces[n++] = str_from_n(b->bytes, b->n);
    }
    return n;
}

static uint64_t
sum_pieces(const struct log_door *d, size_t n)
{
    if (n == 1)
        return format_sum(d->pieces[0]);
    struct format_running *r = format_running_new();
    for (size_t i = 0; i < n; i++)
        format_running_add(r, d->pieces[i]);
    uint64_t sum = format_running_result(r);
    format_running_free(r);
    return sum;
}

bool
door_place(struct log_door *d, struct door_message *m)
{
    struct record_message record = {
        .id = m->id,
        .size = m->size,
        .large = m->spill != NULL ? m->spill->file->number : 0,
        .envelope = buf_str(&m->envelope),
    };
    uint8_t flags = m->needs_stuffing ? RECORD_NEEDS_STUFFING : 0;
    uint64_t content = m->spill != NULL ? 0 : m->size;

    buf_clear(&d->meta);
    record_add_message(&d->meta, &record);
    struct door_segment *s = segment_for(d, d->meta.n, content);
    if (s == NULL)
        return false;
    size_t n = m->spill != NULL ? 0 : gather(d, m);
    uint64_t sum = m->spill != NULL ? m->sum : sum_pieces(d, n);
    (void)append_add(&s->out, RECORD_MESSAGE, flags, buf_str(&d->meta),
                     d->pieces, n, sum);
    door_list_add(&s->batch, m);
    return true;
}

bool
door_has_room(const struct log_door *d)
{
    const struct append *out;
    for (const struct door_segment *s = d->segments; s != NULL; s = s->next)
        if (!s->sealed && s != d->current)
            return true;
    if (d->current == NULL)
        return false;
    out = &d->current->out;
    return out->size - out->at >= ROOM || out->at < out->size / 2;
}
