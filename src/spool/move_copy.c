/* SPDX-License-Identifier: ISC */
/* Survivors out of old segments: copy, sync, MOVED. */
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/move_internal.h"

enum {
    COPY_BUDGET = 1 << 20, /* octets copied in one turn */
    SCAN_BUDGET = 4 << 20, /* octets looked at */
    PAUSE_MS = 10000,      /* after trouble */
};

void
mover_given(struct log_store *s, struct store_segment *g)
{
    struct store_mover *m = s->mover;
    m->target_coming = false;
    m->target = g;
    append_init(&m->out, s->setup.disk, g->fd, segment_seed(g), g->size);
}

/* OPEN -> SEALED: the target is full, or failed. */
static void
leave_target(struct log_store *s)
{
    struct store_mover *m = s->mover;
    struct record_event x = {.a = m->target->number,
                             .b = m->target->generation,
                             .c = m->out.durable,
                             .time = (int64_t)m->out.durable};
    m->target->state = SEGMENT_SEALED;
    m->target->end = m->out.durable;
    ledger_add_event(s, RECORD_SEALED, &x);
    append_fini(&m->out);
    m->target = NULL;
}

static void
trouble(struct log_store *s, const struct err *e)
{
    store_trouble(s, e);
    s->mover->again = s->now.mono_ms + PAUSE_MS;
    leave_target(s);
    mover_end_job(s->mover);
}

/* The copy is durable: the message lives there from now on. Its source waits
 * for this record to be durable before it may retire. */
static void
relocate(struct log_store *s, const struct moved *x)
{
    struct store_mover *m = s->mover;
    uint32_t i = table_find(&s->table, x->id);
    if (i == TABLE_NONE)
        return; // it ended meanwhile; both records are dead
    struct table_entry *t = table_at(&s->table, i);
    if (t->segment != m->victim->index || table_offset(t) != x->from)
        return;
    struct record_event e = {.id = x->id,
                             .a = m->target->number,
                             .b = m->target->generation,
                             .c = x->to};
    ledger_add_event(s, RECORD_MOVED, &e);
    m->victim->live--;
    m->victim->live_bytes -= t->length;
    m->target->live++;
    m->target->live_bytes += t->length;
    table_place(&s->table, i, m->target->index, x->to);
    s->moved++;
}

static void
run(struct task *task)
{
    struct store_mover *m = (struct store_mover *)task;
    const struct disk *disk = m->out.disk;
    m->ok = disk->sync(disk->self, m->out.fd) == 0 ||
            err_sys(&m->error, "sync", "segment");
}

static void
done(struct task *task)
{
    struct store_mover *m = (struct store_mover *)task;
    struct log_store *s = m->store;
    s->tasks--;
    m->syncing = false;
    m->target->busy = false;
    if (!m->ok) {
        trouble(s, &m->error);
        return;
    }
    m->out.durable = m->out.at;
    for (size_t i = 0; i < m->n_moved; i++)
        relocate(s, &m->moved[i]);
    m->n_moved = 0;
}

static void
start_sync(struct log_store *s)
{
    struct store_mover *m = s->mover;
    m->task = (struct task){run, done};
    m->syncing = true;
    m->target->busy = true;
    store_submit(s, LANE_SYNC, &m->task);
}

/* false: no room in the target. */
static bool
add_copy(struct log_store *s, const struct carried *c)
{
    struct store_mover *m = s->mover;
    struct record_message message;
    uint32_t ordinal = ledger_ordinal(s);

    if (!append_fits(&m->out, c->meta.n, c->content.n))
        return false;
    if (!record_parse_message(c->meta, &message))
        return true;
    if (m->n_moved == m->cap_moved) {
        m->cap_moved = m->cap_moved * 2 + 64;
        m->moved = alloc_resize(m->moved, m->cap_moved * sizeof *m->moved);
    }
    // From here on an end of it concerns two segments.
    if (ordinal < m->victim->tomb_since)
        m->victim->tomb_since = ordinal;
    if (ordinal < m->target->tomb_since)
        m->target->tomb_since = ordinal;
    uint64_t to = append_add(&m->out, RECORD_MESSAGE, c->flags, c->meta,
                             &c->content, 1, c->sum);
    m->moved[m->n_moved++] =
        (struct moved){.id = message.id, .from = c->from, .to = to};
    return true;
}

static bool
lives_here(const struct log_store *s, const struct scan_record *r,
           struct msgid *id)
{
    const struct store_segment *g = s->mover->victim;
    if (r->type != RECORD_MESSAGE || !record_id(r->meta, id))
        return false;
    uint32_t i = table_find(&s->table, *id);
    if (i == TABLE_NONE)
        return false;
    const struct table_entry *t = table_at(&s->table, i);
    return t->segment == g->index && table_offset(t) == r->offset;
}

static struct carried
carry(struct store_mover *m, const struct scan_record *r)
{
    // The content lies behind the meta in the scan's window.
    struct str content = {r->meta.p + r->meta.n, r->content};
    return (struct carried){.any = true,
                            .flags = r->flags,
                            .from = r->offset,
                            .sum = r->content_sum,
                            .meta = arena_dup(&m->arena, r->meta),
                            .content = arena_dup(&m->arena, content)};
}

/* true: the victim has been gone through. */
static bool
fill_target(struct log_store *s, struct err *e)
{
    struct store_mover *m = s->mover;
    struct scan_record r;
    struct msgid id;
    uint64_t stop = m->scan.at + SCAN_BUDGET;

    while (m->out.length < COPY_BUDGET && m->scan.at < stop) {
        if (!m->carried.any) {
            enum scan_result got = scan_next(&m->scan, &r, e);
            if (got == SCAN_END || got == SCAN_ERROR)
                return true;
            if (got != SCAN_RECORD || !lives_here(s, &r, &id))
                continue;
            m->carried = carry(m, &r);
        }
        if (!add_copy(s, &m->carried))
            return false;
        m->carried.any = false;
    }
    return false;
}

void
mover_copy(struct log_store *s)
{
    struct store_mover *m = s->mover;
    struct err e;

    if (m->target == NULL) {
        if (!m->target_coming)
            m->target_coming = segments_want_copy(s);
        if (!m->target_coming)
            m->again = s->now.mono_ms + STORE_RETRY_MS;
        return;
    }
    bool through = fill_target(s, &e);
    if (m->out.length > 0) {
        if (!append_write(&m->out, &e)) {
            trouble(s, &e);
            return;
        }
        start_sync(s);
        if (m->carried.any)
            return; // its octets stay; the target is full once this is synced
        arena_reset(&m->arena);
        return;
    }
    if (m->carried.any) {
        if (m->out.at == FORMAT_BLOCK) { // not even into an empty one
            m->victim->tried = true;
            leave_target(s);
            mover_end_job(m);
            return;
        }
        leave_target(s);
    } else if (through) {
        m->victim->tried = m->victim->live > 0;
        mover_end_job(m);
    }
}
