/* SPDX-License-Identifier: ISC */
#include "spool/spool.h"

#include "spool/ops.h"

struct spool_message *
spool_begin(struct spool_door *d, const struct envelope *e,
            enum spool_result *why)
{
    return d->ops->begin(d, e, why);
}

struct msgid
spool_message_id(const struct spool_message *m)
{
    return m->door->ops->message_id(m);
}

bool
spool_chunk(struct spool_message *m, struct str bytes)
{
    return m->door->ops->chunk(m, bytes);
}

uint64_t
spool_message_size(const struct spool_message *m)
{
    return m->door->ops->message_size(m);
}

void
spool_commit(struct spool_message *m, bool needs_stuffing,
             spool_stored_fn on_stored, void *ctx)
{
    m->door->ops->commit(m, needs_stuffing, on_stored, ctx);
}

void
spool_abort(struct spool_message *m)
{
    m->door->ops->abort(m);
}

void
spool_turn(struct spool_door *d)
{
    d->ops->turn(d);
}

bool
spool_claim(struct spool_store *s, struct instant now, struct arena *a,
            struct spool_claim *out)
{
    return s->ops->claim(s, now, a, out);
}

int64_t
spool_next_due(const struct spool_store *s)
{
    return s->ops->next_due(s);
}

bool
spool_settle(struct spool_store *s, const struct spool_settlement *x)
{
    return s->ops->settle(s, x);
}

bool
spool_lease(struct spool_store *s, struct msgid id, uint32_t rcpt)
{
    return s->ops->lease(s, id, rcpt);
}

void
spool_unlease(struct spool_store *s, struct msgid id, uint32_t rcpt,
              int64_t next_ms)
{
    s->ops->unlease(s, id, rcpt, next_ms);
}

void
spool_handed(struct spool_store *s, struct msgid id)
{
    s->ops->handed(s, id);
}

bool
spool_crashed(struct spool_store *s, struct msgid id, const uint32_t *rcpts,
              size_t n, int64_t next_ms)
{
    return s->ops->crashed(s, id, rcpts, n, next_ms);
}

bool
spool_expand(struct spool_store *s, struct msgid id, uint32_t rcpt,
             const struct str *targets, size_t n, uint32_t *out)
{
    return s->ops->expand(s, id, rcpt, targets, n, out);
}

bool
spool_hold(struct spool_store *s, struct msgid id, struct str reason)
{
    return s->ops->hold(s, id, reason);
}

bool
spool_release(struct spool_store *s, struct msgid id, int64_t due_ms)
{
    return s->ops->release(s, id, due_ms);
}

bool
spool_reschedule(struct spool_store *s, struct msgid id, int64_t due_ms)
{
    return s->ops->reschedule(s, id, due_ms);
}

bool
spool_remove(struct spool_store *s, struct msgid id)
{
    return s->ops->remove(s, id);
}

bool
spool_next_notice(struct spool_store *s, struct arena *a,
                  struct spool_notice *out)
{
    return s->ops->next_notice(s, a, out);
}

void
spool_notice_declined(struct spool_store *s, struct str key)
{
    s->ops->notice_declined(s, key);
}

void
spool_notices_again(struct spool_store *s)
{
    s->ops->notices_again(s);
}

void
spool_ids(struct spool_store *s, void (*fn)(void *ctx, struct msgid id),
          void *ctx)
{
    s->ops->ids(s, fn, ctx);
}

void
spool_list(struct spool_store *s, spool_view_fn fn, void *ctx)
{
    s->ops->list(s, fn, ctx);
}

bool
spool_show(struct spool_store *s, struct msgid id, struct arena *a,
           struct spool_view *out)
{
    return s->ops->show(s, id, a, out);
}

size_t
spool_count(const struct spool_store *s)
{
    return s->ops->count(s);
}

void
spool_store_turn(struct spool_store *s, struct instant now)
{
    s->ops->turn(s, now);
}

int64_t
spool_store_wake(const struct spool_store *s)
{
    return s->ops->wake(s);
}

bool
spool_read(struct spool_store *s, const struct spool_locator *at,
           struct buf *to, struct err *e)
{
    return s->ops->read(s, at, to, e);
}

void
spool_door_free(struct spool_door *d)
{
    if (d != NULL)
        d->ops->free(d);
}

void
spool_store_free(struct spool_store *s)
{
    if (s != NULL)
        s->ops->free(s);
}
