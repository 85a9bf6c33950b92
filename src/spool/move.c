/* SPDX-License-Identifier: ISC */
/*
 * Keeping the disk in proportion to what lives on it.
 *
 *     COPY   survivors of a segment that is mostly dead go to a segment of the
 *            queue's own: copy, sync, MOVED; when that is durable the source
 *            has no live message and retires like any other
 *     TOMBS  the ends of a segment's messages are told again (DONE), so that
 *            the old ledgers that told them first become needless
 *     NEWS   what an old ledger knows of living messages is written again
 *
 * One job at a time, a bounded piece of it in each turn. Nothing here ends or
 * changes a message: after a crash at any point every message is found, at its
 * old or at its new place, with the same state.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/math.h"
#include "spool/store_internal.h"

enum {
    COPY_BUDGET = 1 << 20, /* octets copied in one turn */
    SCAN_BUDGET = 4 << 20, /* octets looked at */
    NEWS_BUDGET = 1024,    /* recipients written again in one turn */
    ENTRY_BUDGET = 8192,   /* entries looked at */
    SLACK = 2,             /* segments' worth of waste that is let be */
    LEDGER_SLACK = 3,
    LEDGER_WASTE = 2, /* times what is needed */
    NEWS_SIZE = 512,  /* octets a living message may have in ledgers */
    PAUSE_MS = 10000, /* after trouble */
};

enum job { JOB_IDLE = 0, JOB_COPY, JOB_TOMBS, JOB_NEWS };

struct moved {
    struct msgid id;
    uint64_t from, to; /* offsets */
};

/* What of the ledgers is needed: known when all of them were gone through, by
 * what had to be written again. Without it, much that is needed would look like
 * much that is waste, and be written again for ever. */
struct needed {
    uint64_t news, tombs; // octets
    uint64_t refs;        // messages with news then
};

/* A record read from the victim that the target had no room for. */
struct carried {
    bool any;
    uint8_t flags;
    uint64_t from, sum;
    struct str meta, content; /* in the mover's arena */
};

struct store_mover {
    struct task task; /* the sync of the target; must be first */
    struct log_store *store;
    enum job job;
    struct store_segment *victim;
    struct scan scan;
    struct store_segment *target;
    struct append out;
    bool target_coming, syncing, ok;
    struct err error;
    struct arena arena; /* contents until they are written */
    struct carried carried;
    struct moved *moved;
    size_t n_moved, cap_moved;
    uint32_t since;  /* TOMBS: the ordinal at its start; NEWS: up to which */
    uint32_t cursor; /* NEWS: entry */
    struct {         /* NEWS: how far with that one */
        struct msgid id;
        uint32_t rcpt;
        uint32_t ordinal; // no note written again lies in an older ledger
    } part;
    struct needed needed, so_far;
    uint32_t round; // so_far is of all ledgers, once those below are gone
    int64_t again;  /* mono_ms */
};

void
mover_new(struct log_store *s)
{
    s->mover = alloc_zero(sizeof *s->mover);
    s->mover->store = s;
}

void
mover_free(struct log_store *s)
{
    struct store_mover *m = s->mover;
    if (m->job == JOB_COPY || m->job == JOB_TOMBS)
        scan_fini(&m->scan);
    append_fini(&m->out);
    arena_fini(&m->arena);
    free(m->moved);
    free(m);
}

bool
mover_busy(const struct log_store *s)
{
    return s->mover->job != JOB_IDLE;
}

int64_t
mover_wake(const struct log_store *s)
{
    const struct store_mover *m = s->mover;
    if (m->job == JOB_IDLE || m->syncing || m->target_coming)
        return INT64_MAX;
    return m->again > s->now.mono_ms ? m->again : 0;
}

static void
end_job(struct store_mover *m)
{
    if (m->job == JOB_COPY || m->job == JOB_TOMBS)
        scan_fini(&m->scan);
    arena_reset(&m->arena);
    m->carried.any = false;
    m->n_moved = 0;
    m->job = JOB_IDLE;
    if (m->victim != NULL)
        m->victim->moving = false;
    m->victim = NULL;
}

/* ---- choosing ------------------------------------------------------------ */

static void
go_through(struct log_store *s, enum job job, struct store_segment *victim)
{
    struct store_mover *m = s->mover;
    m->job = job;
    m->victim = victim;
    victim->moving = true;
    m->since = ledger_ordinal(s);
    segment_scan(s, victim, &m->scan);
    m->scan.limit =
        victim->state == SEGMENT_SEALED ? victim->end : victim->scan.at;
    m->scan.durable = m->scan.limit;
    m->scan.trust = job == JOB_TOMBS;
}

static bool
is_settled(const struct store_segment *g)
{
    return g != NULL && g->state == SEGMENT_SEALED && !g->damaged &&
           (g->kind == SEGMENT_DATA || g->kind == SEGMENT_COPY);
}

/* The sealed segment with the smallest part alive, if too much is dead. */
static struct store_segment *
wasteful(const struct log_store *s)
{
    struct store_segment *worst = NULL;
    uint64_t total = 0, live = 0;
    for (size_t i = 0; i < s->n_segments; i++) {
        struct store_segment *g = s->segments[i];
        if (!is_settled(g) || g->live == 0 || g->tried)
            continue;
        total += g->size;
        live += g->live_bytes;
        if (worst == NULL || (double)g->live_bytes * (double)worst->size <
                                 (double)worst->live_bytes * (double)g->size)
            worst = g;
    }
    return total > live * 2 + SLACK * s->make_size ? worst : NULL;
}

static uint64_t
octets_needed(const struct needed *n, uint64_t refs)
{
    // Those that ended since then need their news no more.
    uint64_t news = refs >= n->refs ? n->news : n->news / n->refs * refs;
    return news + n->tombs;
}

static bool
ledgers_too_many(const struct log_store *s)
{
    const struct store_mover *m = s->mover;
    uint64_t bytes = 0, refs = 0;
    for (size_t i = 0; i < s->n_segments; i++) {
        const struct store_segment *g = s->segments[i];
        if (g == NULL || g->kind != SEGMENT_LEDGER ||
            g->state != SEGMENT_SEALED)
            continue;
        bytes += g->size;
        refs += g->refs;
    }
    uint64_t allowed = math_max(octets_needed(&m->needed, refs),
                                octets_needed(&m->so_far, refs));
    allowed = math_max(allowed * LEDGER_WASTE, refs * NEWS_SIZE);
    return bytes > LEDGER_SLACK * s->make_size + allowed;
}

/* A round ends when no ledger is left of those that were there at its begin. */
static void
count_round(struct log_store *s, uint32_t first)
{
    struct store_mover *m = s->mover;
    if (first < m->round)
        return;
    m->needed = m->so_far;
    m->so_far = (struct needed){0};
    for (size_t i = 0; i < s->n_segments; i++)
        if (s->segments[i] != NULL)
            m->needed.refs += s->segments[i]->refs;
    m->round = ledger_ordinal(s);
}

/* Why the oldest ledger cannot go decides what to do about it. */
static void
choose_for_ledger(struct log_store *s)
{
    struct store_mover *m = s->mover;
    uint32_t first = segments_first_ledger(s);
    count_round(s, first);
    for (size_t i = 0; i < s->n_segments; i++) {
        struct store_segment *g = s->segments[i];
        if (g == NULL || g->tomb_since > first || g->busy)
            continue;
        if (is_settled(g) && g->live == 0)
            return; // it is about to retire
        bool copy = is_settled(g) && !g->tried && g->live_bytes < g->size / 2;
        go_through(s, copy ? JOB_COPY : JOB_TOMBS, g);
        return;
    }
    m->job = JOB_NEWS;
    m->since = first;
    m->cursor = 0;
    m->part.rcpt = 0;
}

static void
choose(struct log_store *s)
{
    struct store_segment *victim;
    if ((victim = wasteful(s)) != NULL)
        go_through(s, JOB_COPY, victim);
    else if (ledgers_too_many(s))
        choose_for_ledger(s);
}

/* ---- COPY ---------------------------------------------------------------- */

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
    end_job(s->mover);
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

static void
copy_some(struct log_store *s)
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
            end_job(m);
            return;
        }
        leave_target(s);
    } else if (through) {
        m->victim->tried = m->victim->live > 0;
        end_job(m);
    }
}

/* ---- TOMBS --------------------------------------------------------------- */

static void
tell_ends(struct log_store *s)
{
    struct store_mover *m = s->mover;
    struct scan_record r;
    struct msgid id;
    struct err e;
    uint64_t stop = m->scan.at + SCAN_BUDGET, before = s->ledger.octets;

    while (m->scan.at < stop) {
        enum scan_result got = scan_next(&m->scan, &r, &e);
        if (got == SCAN_END || got == SCAN_ERROR) {
            if (got == SCAN_END)
                m->victim->tomb_since = m->since;
            else
                m->again = s->now.mono_ms + PAUSE_MS;
            end_job(m);
            break;
        }
        if (got != SCAN_RECORD || !record_id(r.meta, &id) ||
            table_find(&s->table, id) != TABLE_NONE)
            continue;
        struct record_event x = {.id = id};
        ledger_add_event(s, RECORD_DONE, &x);
    }
    m->so_far.tombs += s->ledger.octets - before;
}

/* ---- NEWS ---------------------------------------------------------------- */

/* What is known of the message itself. */
static void
events_again(struct log_store *s, uint32_t i)
{
    const struct table_entry *t = table_at(&s->table, i);
    struct record_event x = {.id = t->id};

    if (t->crashes > 0) {
        x.a = t->crashes;
        ledger_add_event(s, RECORD_CRASHED, &x);
    }
    if ((t->flags & TABLE_HELD) != 0) {
        x.text = notes_hold(s, t->id);
        ledger_add_event(s, RECORD_HOLD, &x);
    }
}

/* All that the ledgers know of a message, as of now. Until that is complete
 * the old places count. false: there is more, for the next turn. */
static bool
write_again(struct log_store *s, uint32_t i, size_t *budget)
{
    struct store_mover *m = s->mover;
    const struct table_entry *t = table_at(&s->table, i);
    uint32_t k = m->part.rcpt;

    if (k == 0 || !msgid_eq(m->part.id, t->id)) {
        k = 0;
        m->part.id = t->id;
        m->part.ordinal = ledger_ordinal(s);
    }
    for (; k<t->n_rcpts && * budget> 0; k++, --*budget) {
        struct arena a = {0};
        struct record_note n;
        (void)notes_read(s, i, k, &a, &n); // none: it was never tried
        settle_note(s, i, k, &n.last);
        arena_fini(&a);
    }
    m->part.rcpt = k;
    if (k < t->n_rcpts)
        return false;
    m->part.rcpt = 0;
    events_again(s, i);
    notes_retouch(s, i, m->part.ordinal);
    return true;
}

static void
tell_news(struct log_store *s)
{
    struct store_mover *m = s->mover;
    uint32_t stop = m->cursor + ENTRY_BUDGET;
    uint64_t before = s->ledger.octets;
    size_t budget = NEWS_BUDGET;
    bool more;

    while ((more = table_next(&s->table, &m->cursor))) {
        const struct table_entry *t = table_at(&s->table, m->cursor);
        if (m->cursor >= stop || budget == 0)
            break;
        if (t->segment != TABLE_NONE && t->since <= m->since &&
            !write_again(s, m->cursor, &budget))
            break;
        m->cursor++;
    }
    m->so_far.news += s->ledger.octets - before;
    if (!more)
        end_job(m);
}

void
mover_turn(struct log_store *s)
{
    struct store_mover *m = s->mover;
    if (!s->recovered || m->syncing || !ledger_ready(s) ||
        s->now.mono_ms < m->again)
        return;
    switch (m->job) {
    case JOB_IDLE:
        choose(s);
        break;
    case JOB_COPY:
        copy_some(s);
        break;
    case JOB_TOMBS:
        tell_ends(s);
        break;
    case JOB_NEWS:
        tell_news(s);
        break;
    }
}
