/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/memory_internal.h"
#include "spool/ops.h"

struct memory_message {
    struct spool_message base;
    struct memory_message *next; /* committed, not answered yet */
    struct memory_entry *entry;
    spool_stored_fn on_stored;
    void *ctx;
};

struct memory_door {
    struct spool_door base;
    struct memory_spool *spool;
    struct memory_door *next;
    uint64_t writer, seq;
    void (*on_ready)(void *ctx);
    void *ctx;
    struct memory_message *committed, **tail;
};

static struct spool_message *
begin(struct spool_door *base, const struct envelope *e, enum spool_result *why)
{
    struct memory_door *d = (struct memory_door *)base;
    struct buf bytes = {0};

    *why = d->spool->begin;
    if (*why != SPOOL_OK)
        return NULL;
    struct memory_message *m = alloc_zero(sizeof *m);
    struct memory_entry *entry = alloc_zero(sizeof *entry);
    m->base.door = base;
    m->entry = entry;
    entry->id = (struct msgid){d->writer, ++d->seq};
    envelope_encode(&bytes, e);
    (void)envelope_decode(&entry->arena,
                          arena_dup(&entry->arena, buf_str(&bytes)),
                          &entry->envelope);
    buf_fini(&bytes);
    entry->n_rcpts = e->n_rcpts;
    entry->rcpts = alloc_array(e->n_rcpts, sizeof *entry->rcpts);
    for (size_t i = 0; i < e->n_rcpts; i++) {
        const struct recipient *r = &entry->envelope.rcpts[i];
        entry->rcpts[i] = (struct memory_rcpt){.address = r->address,
                                               .orcpt = r->orcpt,
                                               .notify = r->notify,
                                               .parent = (uint32_t)i,
                                               .next_ms = e->arrived_ms};
    }
    return &m->base;
}

static struct msgid
message_id(const struct spool_message *m)
{
    return ((const struct memory_message *)m)->entry->id;
}

static bool
chunk(struct spool_message *base, struct str bytes)
{
    struct memory_message *m = (struct memory_message *)base;
    buf_add(&m->entry->content, bytes);
    return !((struct memory_door *)base->door)->spool->parked;
}

static uint64_t
message_size(const struct spool_message *m)
{
    return ((const struct memory_message *)m)->entry->content.n;
}

static void
commit(struct spool_message *base, bool needs_stuffing,
       spool_stored_fn on_stored, void *ctx)
{
    struct memory_message *m = (struct memory_message *)base;
    struct memory_door *d = (struct memory_door *)base->door;
    m->entry->needs_stuffing = needs_stuffing;
    m->on_stored = on_stored;
    m->ctx = ctx;
    *d->tail = m;
    d->tail = &m->next;
}

static void
abort_message(struct spool_message *base)
{
    struct memory_message *m = (struct memory_message *)base;
    memory_entry_free(m->entry);
    free(m);
}

static void
answer(struct memory_spool *spool, struct memory_message *m)
{
    enum spool_result result = spool->commit;
    struct msgid id = m->entry->id;
    if (result == SPOOL_OK)
        memory_spool_add(spool, m->entry);
    else
        memory_entry_free(m->entry);
    m->on_stored(m->ctx, result, id);
    free(m);
}

static void
turn(struct spool_door *base)
{
    struct memory_door *d = (struct memory_door *)base;
    struct memory_message *m = d->committed;
    // What is committed from within an answer belongs to the next turn.
    d->committed = NULL;
    d->tail = &d->committed;
    while (m != NULL) {
        struct memory_message *next = m->next;
        answer(d->spool, m);
        m = next;
    }
}

static void
door_free(struct spool_door *base)
{
    struct memory_door *d = (struct memory_door *)base;
    struct memory_door **at = &d->spool->doors;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    while (d->committed != NULL) {
        struct memory_message *m = d->committed;
        d->committed = m->next;
        abort_message(&m->base);
    }
    free(d);
}

static const struct spool_door_ops ops = {
    .begin = begin,
    .message_id = message_id,
    .chunk = chunk,
    .message_size = message_size,
    .commit = commit,
    .abort = abort_message,
    .turn = turn,
    .free = door_free,
};

struct spool_door *
memory_door_new(struct memory_spool *m, void (*on_ready)(void *ctx), void *ctx)
{
    struct memory_door *d = alloc_zero(sizeof *d);
    *d = (struct memory_door){.base = {&ops},
                              .spool = m,
                              .next = m->doors,
                              .writer = ++m->writers,
                              .on_ready = on_ready,
                              .ctx = ctx,
                              .tail = &d->committed};
    m->doors = d;
    return &d->base;
}

void
memory_spool_park(struct memory_spool *m, bool parked)
{
    bool let_go = m->parked && !parked;
    m->parked = parked;
    if (!let_go)
        return;
    for (struct memory_door *d = m->doors; d != NULL; d = d->next)
        if (d->on_ready != NULL)
            d->on_ready(d->ctx);
}
