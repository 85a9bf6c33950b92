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
#include "spool/move_internal.h"

enum {
    SLACK = 2, /* segments' worth of waste that is let be */
    LEDGER_SLACK = 3,
    LEDGER_WASTE = 2, /* times what is needed */
    NEWS_SIZE = 512,  /* octets a living message may have in ledgers */
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

void
mover_end_job(struct store_mover *m)
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
mover_go_through(struct log_store *s, enum job job,
                 struct store_segment *victim)
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
        mover_go_through(s, copy ? JOB_COPY : JOB_TOMBS, g);
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
        mover_go_through(s, JOB_COPY, victim);
    else if (ledgers_too_many(s))
        choose_for_ledger(s);
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
        mover_copy(s);
        break;
    case JOB_TOMBS:
        mover_tell_ends(s);
        break;
    case JOB_NEWS:
        mover_tell_news(s);
        break;
    }
}
