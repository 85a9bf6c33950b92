/* SPDX-License-Identifier: ISC */
/*
 * Everything that changes the state of a recipient or a message. Each change
 * is made in the table, added to the ledger, and is in the file at the end of
 * the turn. A message whose recipients are all final and owe nothing needs no
 * record of its end: it follows from their outcomes.
 *
 * Transitions (docs/spool.md): R2 in hand -> R1 waiting, R3 owes, R4 done,
 * R5 expanded; M1 -> M2 held and back; M1 -> M3 done.
 */
#include <stdlib.h>

#include "spool/store_internal.h"

/* A message in the table, or NULL; *i is its entry. */
static struct table_entry *
find(struct log_store *s, struct msgid id, uint32_t *i)
{
    *i = table_find(&s->table, id);
    if (*i == TABLE_NONE || table_at(&s->table, *i)->segment == TABLE_NONE)
        return NULL;
    return table_at(&s->table, *i);
}

static struct table_rcpt *
find_leased(struct log_store *s, struct msgid id, uint32_t rcpt, uint32_t *i)
{
    const struct table_entry *t = find(s, id, i);
    if (t == NULL || rcpt >= t->n_rcpts)
        return NULL;
    struct table_rcpt *r = table_rcpt(&s->table, *i, rcpt);
    return r->state == RCPT_LEASED ? r : NULL;
}

/* What was written down at the hand-over for after a crash goes with the last
 * lease. */
static void
lease_ended(struct log_store *s, uint32_t i)
{
    if (table_leased(&s->table, i) == 0)
        leases_drop(s, table_at(&s->table, i)->id);
}

/* M1 -> M3: all is final, nothing owed. Its record may be forgotten when the
 * ledger is durable up to here; until all segments were read once it stays in
 * mind, since a second copy may turn up. */
void
settle_done(struct log_store *s, uint32_t i)
{
    struct table_entry *t = table_at(&s->table, i);
    struct store_segment *g = s->segments[t->segment];
    struct msgid id = t->id;
    struct arena a = {0};
    struct record_message m;
    struct err e;

    if (t->n_open > 0)
        return;
    if ((t->flags & TABLE_LARGE) != 0 && claim_load(s, i, &a, &m, &e))
        larges_doom(s, m.large);
    arena_fini(&a);
    uint32_t ordinal = ledger_ordinal(s);
    if (t->since < ordinal)
        ordinal = t->since;
    if (ordinal < g->tomb_since)
        g->tomb_since = ordinal;
    g->live--;
    g->live_bytes -= t->length;
    notes_drop_hold(s, id);
    leases_drop(s, id);
    if (s->recovered) {
        notes_untouch(s, i);
        table_remove(&s->table, i);
    } else {
        t->flags |= TABLE_GONE;
        table_place(&s->table, i, TABLE_NONE, 0);
        t->ghost_due = 0;
    }
}

/* The address of a recipient that an expansion made goes into each of its
 * notes, since the latest is all that is read. One in hand is written as
 * waiting: after a crash it is. */
void
settle_note(struct log_store *s, uint32_t i, uint32_t rcpt,
            const struct verdict *last)
{
    const struct table_entry *t = table_at(&s->table, i);
    const struct table_rcpt *r = table_rcpt(&s->table, i, rcpt);
    struct record_note n = {
        .id = t->id,
        .rcpt = rcpt,
        .parent = r->parent,
        .attempts = r->attempts,
        .next_ms = r->next_ms,
        .state = r->state == RCPT_LEASED ? RCPT_DUE : (enum rcpt_state)r->state,
        .owes = r->owes & 15u,
        .last = *last};
    struct buf meta = {0};
    struct arena a = {0};
    struct record_note before;

    n.last.text = str_first(n.last.text, STORE_TEXT);
    if (r->parent != rcpt && notes_read(s, i, rcpt, &a, &before))
        n.address = before.address;
    record_add_note(&meta, &n);
    ledger_add(s, n.state == RCPT_DUE ? RECORD_DEFERRED : RECORD_OUTCOME,
               buf_str(&meta));
    buf_fini(&meta);
    arena_fini(&a);
}

/* R2 -> R1 as it was. */
static void
put_back(struct log_store *s, uint32_t i, uint32_t rcpt, int64_t next_ms)
{
    struct table_rcpt *r = table_rcpt(&s->table, i, rcpt);
    table_set_state(&s->table, i, rcpt, RCPT_DUE);
    r->next_ms = next_ms;
    table_settle_rcpt(&s->table, i, rcpt);
    lease_ended(s, i);
}

bool
log_store_settle(struct spool_store *base, const struct spool_settlement *x)
{
    struct log_store *s = store_of(base);
    uint32_t i;
    struct table_rcpt *r = find_leased(s, x->id, x->rcpt, &i);

    if (r == NULL)
        return false;
    if (x->verdict.outcome == OUTCOME_NONE) {
        put_back(s, i, x->rcpt, x->next_ms);
        return true;
    }
    struct table_entry *t = table_at(&s->table, i);
    t->crashes = 0; // an attempt that came to its end
    if (r->attempts < UINT16_MAX)
        r->attempts++;
    if (x->verdict.outcome == OUTCOME_LATER && !x->give_up) {
        put_back(s, i, x->rcpt, x->next_ms);
        settle_note(s, i, x->rcpt, &x->verdict);
        return true;
    }
    r->owes = x->notice & NOTICE_ALL;
    table_set_state(&s->table, i, x->rcpt,
                    r->owes != 0 ? RCPT_OWES : RCPT_DONE);
    settle_note(s, i, x->rcpt, &x->verdict);
    if (r->state == RCPT_OWES)
        notices_owe(s, i);
    if (t->n_open > 0)
        lease_ended(s, i);
    settle_done(s, i);
    return true;
}

void
log_store_unlease(struct spool_store *base, struct msgid id, uint32_t rcpt,
                  int64_t next_ms)
{
    struct log_store *s = store_of(base);
    uint32_t i;
    if (find_leased(s, id, rcpt, &i) != NULL)
        put_back(s, i, rcpt, next_ms);
}

/* R1 -> R2, for a worker that outlived the queue. */
bool
log_store_lease(struct spool_store *base, struct msgid id, uint32_t rcpt)
{
    struct log_store *s = store_of(base);
    uint32_t i;
    struct table_entry *t = find(s, id, &i);

    if (t == NULL || rcpt >= t->n_rcpts ||
        table_rcpt(&s->table, i, rcpt)->state != RCPT_DUE)
        return false;
    table_set_state(&s->table, i, rcpt, RCPT_LEASED);
    t->flags &= (uint8_t)~TABLE_DOUBT;
    table_settle(&s->table, i);
    leases_take(s, id);
    return true;
}

void
log_store_handed(struct spool_store *base, struct msgid id)
{
    leases_take(store_of(base), id);
}

void
settle_crash(struct log_store *s, uint32_t i)
{
    struct table_entry *t = table_at(&s->table, i);
    struct record_event x = {.id = t->id};
    if (t->crashes < UINT8_MAX)
        t->crashes++;
    x.a = t->crashes;
    ledger_add_event(s, RECORD_CRASHED, &x);
    if (t->crashes >= SPOOL_CRASHES_MAX)
        (void)log_store_hold(&s->base, t->id, SPOOL_CRASHES_REASON);
}

bool
log_store_crashed(struct spool_store *base, struct msgid id,
                  const uint32_t *rcpts, size_t n, int64_t next_ms)
{
    struct log_store *s = store_of(base);
    bool any = false;
    uint32_t i = TABLE_NONE;
    for (size_t k = 0; k < n; k++) {
        if (find_leased(s, id, rcpts[k], &i) == NULL)
            continue;
        put_back(s, i, rcpts[k], next_ms);
        any = true;
    }
    if (any)
        settle_crash(s, i);
    return any;
}

/* R2 -> R5, and each target R2. One record, so that neither the alias nor its
 * targets can be without the other. */
bool
log_store_expand(struct spool_store *base, struct msgid id, uint32_t rcpt,
                 const struct str *targets, size_t n, uint32_t *out)
{
    struct log_store *s = store_of(base);
    struct buf meta = {0};
    uint32_t i;
    const struct table_rcpt *alias = find_leased(s, id, rcpt, &i);

    if (alias == NULL || n > STORE_EXPANSION)
        return false;
    struct table_entry *t = table_at(&s->table, i);
    int64_t next_ms = alias->next_ms;
    uint32_t first = t->n_rcpts;
    struct arena a = {0};
    struct record_expanded x = {
        .id = id, .rcpt = rcpt, .first = first, .next_ms = next_ms, .n = n};
    x.targets = arena_array(&a, n, sizeof *x.targets);
    for (size_t k = 0; k < n; k++)
        x.targets[k] = targets[k];
    record_add_expanded(&meta, &x);
    bool fits = meta.n <= STORE_EXPANSION;
    if (fits)
        ledger_add(s, RECORD_EXPANDED, buf_str(&meta));
    buf_fini(&meta);
    arena_fini(&a);
    if (!fits)
        return false;

    table_grow(&s->table, i, first + (uint32_t)n, next_ms);
    table_set_state(&s->table, i, rcpt, RCPT_EXPANDED);
    for (uint32_t k = 0; k < n; k++) {
        table_set_state(&s->table, i, first + k, RCPT_LEASED);
        table_rcpt(&s->table, i, first + k)->parent = rcpt;
        out[k] = first + k;
    }
    table_settle(&s->table, i);
    settle_done(s, i); // an alias of nobody
    return true;
}

/* M1 -> M2. */
bool
log_store_hold(struct spool_store *base, struct msgid id, struct str reason)
{
    struct log_store *s = store_of(base);
    uint32_t i;
    struct table_entry *t = find(s, id, &i);
    struct record_event x = {.id = id, .text = str_first(reason, STORE_TEXT)};

    if (t == NULL)
        return false;
    t->flags |= TABLE_HELD;
    notes_set_hold(s, id, x.text);
    ledger_add_event(s, RECORD_HOLD, &x);
    table_settle(&s->table, i);
    return true;
}

static void
set_due(struct log_store *s, uint32_t i, int64_t due_ms)
{
    const struct table_entry *t = table_at(&s->table, i);
    for (uint32_t k = 0; k < t->n_rcpts; k++) {
        struct table_rcpt *r = table_rcpt(&s->table, i, k);
        if (r->state == RCPT_DUE)
            r->next_ms = due_ms;
    }
    table_settle(&s->table, i);
}

/* M2 -> M1. */
bool
log_store_release(struct spool_store *base, struct msgid id, int64_t due_ms)
{
    struct log_store *s = store_of(base);
    uint32_t i;
    struct table_entry *t = find(s, id, &i);
    struct record_event x = {.id = id, .time = due_ms};

    if (t == NULL || (t->flags & TABLE_HELD) == 0)
        return false;
    t->flags &= (uint8_t)~TABLE_HELD;
    t->crashes = 0;
    notes_drop_hold(s, id);
    ledger_add_event(s, RECORD_RELEASE, &x);
    set_due(s, i, due_ms);
    return true;
}

bool
log_store_reschedule(struct spool_store *base, struct msgid id, int64_t due_ms)
{
    struct log_store *s = store_of(base);
    uint32_t i;
    struct record_event x = {.id = id, .time = due_ms};

    if (find(s, id, &i) == NULL)
        return false;
    ledger_add_event(s, RECORD_DUE, &x);
    set_due(s, i, due_ms);
    return true;
}

/* M1, M2 -> M3 by hand. */
bool
log_store_remove(struct spool_store *base, struct msgid id)
{
    struct log_store *s = store_of(base);
    uint32_t i;
    struct table_entry *t = find(s, id, &i);
    struct record_event x = {.id = id};

    if (t == NULL || table_leased(&s->table, i) > 0)
        return false;
    ledger_add_event(s, RECORD_DONE, &x);
    t->n_open = 0;
    settle_done(s, i);
    return true;
}
