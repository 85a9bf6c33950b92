/* SPDX-License-Identifier: ISC */
/*
 * Content beyond 128 KiB, or beyond the memory for bodies: written by tasks
 * into a large file that the queue made, synced before the record that names
 * it is written.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/door_internal.h"
#include "spool/io.h"

static bool
write_blocks(struct door_spill *s)
{
    for (struct door_block *b = s->blocks; b != NULL; b = b->next) {
        struct iovec part = {b->bytes, b->n};
        if (!io_write(s->disk, s->file->fd, &part, 1, s->at, "large file",
                      &s->error))
            return false;
        format_running_add(s->sum, str_from_n(b->bytes, b->n));
        s->at += b->n;
    }
    return true;
}

static void
run(struct task *task)
{
    struct door_spill *s = (struct door_spill *)task;
    s->ok = write_blocks(s);
    if (s->ok && s->last && s->disk->sync(s->disk->self, s->file->fd) != 0)
        s->ok = err_sys(&s->error, "sync", "large file");
}

static void
free_spill(struct door_spill *s)
{
    format_running_free(s->sum);
    door_blocks_free(s->blocks);
    free(s);
}

void
door_large_forget(struct log_door *d, struct door_large *file, bool unused)
{
    struct door_large **at = &d->larges;
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    if (file->fd >= 0)
        (void)d->setup.disk->close(d->setup.disk->self, file->fd);
    if (unused)
        d->setup.on_large_free(d->setup.ctx, file->number);
    free(file);
}

/* The message ends without a record: nobody may ever refer to the file. */
static void
give_up(struct log_door *d, struct door_message *m)
{
    door_large_forget(d, m->spill->file, true);
    free_spill(m->spill);
    m->spill = NULL;
}

static void
finish(struct log_door *d, struct door_message *m)
{
    struct door_spill *s = m->spill;
    m->sum = format_running_result(s->sum);
    (void)d->setup.disk->close(d->setup.disk->self, s->file->fd);
    s->file->fd = -1;
    door_ready(d, m);
}

static void
done(struct task *task)
{
    struct door_spill *s = (struct door_spill *)task;
    struct door_message *m = s->message;
    struct log_door *d = (struct log_door *)m->base.door;
    bool was_last = s->last;

    s->busy = false;
    d->tasks--;
    door_blocks_free(s->blocks);
    s->blocks = NULL;
    if (s->aborted) {
        give_up(d, m);
        door_message_free(m);
    } else if (!s->ok) {
        m->failed = io_is_full(&s->error) ? SPOOL_FULL : SPOOL_TROUBLE;
        door_message_drop_content(m);
        give_up(d, m);
        if (m->committed)
            door_ready(d, m);
    } else if (was_last) {
        finish(d, m);
    } else if (m->committed || m->pending > 0) {
        door_spill_feed(m);
    }
    if (d->parked) {
        d->parked = false;
        d->setup.on_ready(d->setup.ctx);
    }
}

void
door_spill_start(struct door_message *m)
{
    struct log_door *d = (struct log_door *)m->base.door;
    struct door_large *file = d->larges;

    while (file != NULL && file->taken)
        file = file->next;
    if (file == NULL) {
        m->failed = SPOOL_FULL;
        door_message_drop_content(m);
        return;
    }
    file->taken = true;
    m->spill = alloc_zero(sizeof *m->spill);
    *m->spill = (struct door_spill){
        .task = {run, done},
        .message = m,
        .disk = d->setup.disk,
        .file = file,
        .sum = format_running_new()
    };
    door_spill_feed(m);
}

void
door_spill_feed(struct door_message *m)
{
    struct log_door *d = (struct log_door *)m->base.door;
    struct door_spill *s = m->spill;

    if (s->busy)
        return;
    // The task owns the blocks now; they count no longer as the message's.
    s->blocks = m->first;
    d->memory -= m->memory;
    m->first = m->last = NULL;
    m->memory = m->pending = 0;
    s->last = m->committed;
    s->busy = true;
    d->tasks++;
    d->setup.executor.submit(d->setup.executor.ctx, LANE_FILE, &s->task);
}

void
door_spill_abort(struct door_message *m)
{
    if (m->spill->busy) {
        m->spill->aborted = true; // done() ends both
        return;
    }
    give_up((struct log_door *)m->base.door, m);
    door_message_free(m);
}
