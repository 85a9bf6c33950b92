/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/math.h"
#include "spool/door_internal.h"

enum {
    BLOCK_MIN = 4096,
    BLOCK_MAX = 64 << 10,
    PARK = 256 << 10, /* pending octets at which a spilling message waits */
};

void
door_list_init(struct door_list *l)
{
    l->first = NULL;
    l->last = &l->first;
}

void
door_list_add(struct door_list *l, struct door_message *m)
{
    m->next = NULL;
    *l->last = m;
    l->last = &m->next;
}

struct door_message *
door_list_take(struct door_list *l)
{
    struct door_message *m = l->first;
    if (m != NULL && (l->first = m->next) == NULL)
        l->last = &l->first;
    return m;
}

void
door_blocks_free(struct door_block *b)
{
    while (b != NULL) {
        struct door_block *next = b->next;
        free(b);
        b = next;
    }
}

void
door_message_drop_content(struct door_message *m)
{
    ((struct log_door *)m->base.door)->memory -= m->memory;
    door_blocks_free(m->first);
    m->first = m->last = NULL;
    m->memory = m->pending = 0;
}

void
door_message_free(struct door_message *m)
{
    ((struct log_door *)m->base.door)->messages--;
    door_message_drop_content(m);
    buf_fini(&m->envelope);
    free(m);
}

/* Blocks grow with the message, so that a small one costs one of 4 KiB. */
static void
add_block(struct log_door *d, struct door_message *m)
{
    size_t cap = math_min(math_max(m->memory, BLOCK_MIN), BLOCK_MAX);
    struct door_block *b = alloc_resize(NULL, cap);
    b->next = NULL;
    b->n = 0;
    b->cap = cap - sizeof *b;
    if (m->last == NULL)
        m->first = b;
    else
        m->last->next = b;
    m->last = b;
    m->memory += cap;
    d->memory += cap;
}

static void
add_bytes(struct log_door *d, struct door_message *m, struct str bytes)
{
    while (bytes.n > 0) {
        if (m->last == NULL || m->last->n == m->last->cap)
            add_block(d, m);
        size_t n = math_min(bytes.n, m->last->cap - m->last->n);
        memcpy(m->last->bytes + m->last->n, bytes.p, n);
        m->last->n += n;
        m->pending += n;
        bytes = str_from_pos(bytes, n);
    }
}

bool
log_door_chunk(struct spool_message *base, struct str bytes)
{
    struct door_message *m = (struct door_message *)base;
    struct log_door *d = (struct log_door *)base->door;

    m->size += bytes.n;
    if (m->failed != SPOOL_OK)
        return true; // the answer stands; it comes with the commit
    add_bytes(d, m, bytes);
    if (m->spill == NULL &&
        (m->size > FORMAT_INLINE || d->memory > d->setup.body_memory))
        door_spill_start(m);
    if (m->spill == NULL || m->failed != SPOOL_OK)
        return true;
    if (m->pending >= BLOCK_MAX)
        door_spill_feed(m);
    bool wait = m->spill->busy && m->pending >= PARK;
    d->parked = d->parked || wait;
    return !wait;
}

struct msgid
log_door_message_id(const struct spool_message *m)
{
    return ((const struct door_message *)m)->id;
}

uint64_t
log_door_message_size(const struct spool_message *m)
{
    return ((const struct door_message *)m)->size;
}

void
log_door_commit(struct spool_message *base, bool needs_stuffing,
                spool_stored_fn on_stored, void *ctx)
{
    struct door_message *m = (struct door_message *)base;
    m->needs_stuffing = needs_stuffing;
    m->on_stored = on_stored;
    m->ctx = ctx;
    m->committed = true;
    if (m->spill != NULL && m->failed == SPOOL_OK)
        door_spill_feed(m); // becomes ready when its file is synced
    else
        door_ready((struct log_door *)base->door, m);
}

void
log_door_abort(struct spool_message *base)
{
    struct door_message *m = (struct door_message *)base;
    if (m->spill != NULL)
        door_spill_abort(m);
    else
        door_message_free(m);
}
