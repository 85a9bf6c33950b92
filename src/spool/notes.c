/* SPDX-License-Identifier: ISC */
/*
 * What a ledger record means for the table. Placing sets where the latest note
 * of a recipient lies; replaying does that and what the record says. Both are
 * idempotent: a record that was written twice, because its first place was
 * lost, changes nothing the second time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/math.h"
#include "spool/io.h"
#include "spool/key.h"
#include "spool/store_internal.h"

static struct store_segment *
ledger_of(const struct log_store *s, uint32_t ordinal)
{
    for (size_t i = 0; i < s->n_segments; i++) {
        struct store_segment *g = s->segments[i];
        if (g != NULL && g->kind == SEGMENT_LEDGER && g->ordinal == ordinal)
            return g;
    }
    return NULL;
}

void
notes_untouch(struct log_store *s, uint32_t entry)
{
    struct table_entry *e = table_at(&s->table, entry);
    struct store_segment *g =
        e->since != TABLE_NONE ? ledger_of(s, e->since) : NULL;
    if (g != NULL)
        g->refs--;
    e->since = TABLE_NONE;
}

void
notes_touch(struct log_store *s, uint32_t entry, struct store_segment *ledger)
{
    struct table_entry *e = table_at(&s->table, entry);
    if (e->since != TABLE_NONE)
        return; // ordinals only grow
    ledger->refs++;
    e->since = ledger->ordinal;
}

void
notes_retouch(struct log_store *s, uint32_t entry, uint32_t ordinal)
{
    struct store_segment *lowest = NULL;
    for (size_t i = 0; i < s->n_segments; i++) {
        struct store_segment *g = s->segments[i];
        if (g != NULL && g->kind == SEGMENT_LEDGER &&
            g->state != SEGMENT_STAMPING && g->ordinal >= ordinal &&
            (lowest == NULL || g->ordinal < lowest->ordinal))
            lowest = g;
    }
    notes_untouch(s, entry);
    if (lowest != NULL) // none: nothing of it is in a file
        notes_touch(s, entry, lowest);
}

struct place {
    uint32_t segment, at; // as in struct table_rcpt
};

static void
point(struct log_store *s, uint32_t entry, uint32_t rcpt, struct place place)
{
    const struct table_entry *e = table_at(&s->table, entry);
    if (rcpt >= e->n_rcpts)
        return;
    struct table_rcpt *r = table_rcpt(&s->table, entry, rcpt);
    r->note_segment = place.segment;
    r->note_at = place.at;
}

/* Everybody whose latest note is in this record. */
static void
point_all(struct log_store *s, uint32_t entry, enum record_type type,
          struct str meta, struct place place)
{
    struct record_note n;
    struct record_expanded x;
    struct arena a = {0};

    if ((type == RECORD_OUTCOME || type == RECORD_DEFERRED) &&
        record_parse_note(meta, &n)) {
        point(s, entry, n.rcpt, place);
    } else if (type == RECORD_EXPANDED && record_parse_expanded(&a, meta, &x)) {
        point(s, entry, x.rcpt, place);
        for (size_t k = 0; k < x.n; k++)
            point(s, entry, x.first + (uint32_t)k, place);
    }
    arena_fini(&a);
}

void
notes_placed(struct log_store *s, enum record_type type, struct str meta,
             struct store_segment *g, uint64_t offset)
{
    struct place place = {g->index, (uint32_t)(offset / 8)};
    struct msgid id;

    if (!record_id(meta, &id))
        return;
    uint32_t i = table_find(&s->table, id);
    if (i == TABLE_NONE)
        return; // it ended in this turn: nobody will ask
    notes_touch(s, i, g);
    point_all(s, i, type, meta, place);
}

void
notes_waiting(struct log_store *s, enum record_type type, struct str meta,
              uint32_t at)
{
    struct place place = {STORE_WAITING, at};
    struct msgid id;
    uint32_t i;

    if (record_id(meta, &id) && (i = table_find(&s->table, id)) != TABLE_NONE)
        point_all(s, i, type, meta, place);
}

/* ---- held messages ------------------------------------------------------- */

static struct str
key_of(const struct msgid *id)
{
    return str_from_n(id, sizeof *id);
}

void
notes_set_hold(struct log_store *s, struct msgid id, struct str reason)
{
    struct buf *b = alloc_zero(sizeof *b);
    buf_add(b, reason);
    notes_drop_hold(s, id);
    (void)map_put(&s->holds, key_of(&id), b);
}

struct str
notes_hold(const struct log_store *s, struct msgid id)
{
    const struct buf *b = map_get(&s->holds, key_of(&id));
    return b != NULL ? buf_str(b) : STR_EMPTY;
}

void
notes_drop_hold(struct log_store *s, struct msgid id)
{
    struct buf *b = map_remove(&s->holds, key_of(&id));
    if (b != NULL)
        buf_fini(b);
    free(b);
}

/* ---- at the start -------------------------------------------------------- */

enum { RCPTS_MAX = 1 << 17 }; /* of one message, however damaged its record */

static void
replay_note(struct log_store *s, uint32_t i, const struct record_note *n)
{
    if (n->rcpt >= RCPTS_MAX)
        return;
    table_grow(&s->table, i, n->rcpt + 1, 0);
    struct table_rcpt *r = table_rcpt(&s->table, i, n->rcpt);
    table_set_state(&s->table, i, n->rcpt, n->state);
    r->next_ms = n->next_ms;
    r->parent = n->parent;
    r->attempts = n->attempts < UINT16_MAX ? (uint16_t)n->attempts : UINT16_MAX;
    r->owes = (uint8_t)n->owes;
    table_at(&s->table, i)->crashes = 0;
}

static void
replay_expanded(struct log_store *s, uint32_t i,
                const struct record_expanded *x)
{
    if (x->rcpt >= RCPTS_MAX || x->n > RCPTS_MAX ||
        x->first > RCPTS_MAX - x->n || x->first <= x->rcpt)
        return;
    table_grow(&s->table, i, x->first + (uint32_t)x->n, 0);
    table_set_state(&s->table, i, x->rcpt, RCPT_EXPANDED);
    for (size_t k = 0; k < x->n; k++) {
        struct table_rcpt *r = table_rcpt(&s->table, i, x->first + (uint32_t)k);
        table_set_state(&s->table, i, x->first + (uint32_t)k, RCPT_DUE);
        r->parent = x->rcpt;
        r->next_ms = x->next_ms;
    }
}

/* All that wait are due then; also those that no record has named yet. */
static void
replay_due(struct log_store *s, uint32_t i, int64_t due_ms)
{
    struct table_entry *e = table_at(&s->table, i);
    e->ghost_due = due_ms;
    for (uint32_t k = 0; k < e->n_rcpts; k++)
        table_rcpt(&s->table, i, k)->next_ms = due_ms;
}

static void
replay_paid(struct log_store *s, uint32_t i, struct str text)
{
    const struct table_entry *e = table_at(&s->table, i);
    struct spool_key key;
    uint32_t first, last;
    if (!key_parse(text, &key))
        return;
    while (key.ranges.n > 0 && key_next(&key.ranges, &first, &last))
        for (uint32_t k = first; k <= last && k < e->n_rcpts; k++) {
            struct table_rcpt *r = table_rcpt(&s->table, i, k);
            r->owes &= (uint8_t)~key.kind;
            if (r->state == RCPT_OWES && r->owes == 0)
                table_set_state(&s->table, i, k, RCPT_DONE);
        }
}

static void
replay_event(struct log_store *s, enum record_type type, uint32_t i,
             const struct record_event *x)
{
    struct table_entry *e = table_at(&s->table, i);
    switch (type) {
    case RECORD_HOLD:
        e->flags |= TABLE_HELD;
        notes_set_hold(s, x->id, x->text);
        break;
    case RECORD_RELEASE:
        e->flags &= (uint8_t)~TABLE_HELD;
        e->crashes = 0;
        notes_drop_hold(s, x->id);
        replay_due(s, i, x->time);
        break;
    case RECORD_DUE:
        replay_due(s, i, x->time);
        break;
    case RECORD_CRASHED:
        e->crashes = x->a < UINT8_MAX ? (uint8_t)x->a : UINT8_MAX;
        break;
    case RECORD_PAID:
        replay_paid(s, i, x->text);
        break;
    case RECORD_DONE:
        e->flags |= TABLE_GONE;
        break;
    case RECORD_MOVED:
    case RECORD_NONE:
    case RECORD_MESSAGE:
    case RECORD_OUTCOME:
    case RECORD_DEFERRED:
    case RECORD_EXPANDED:
    case RECORD_SEALED:
    case RECORD_TYPES:
        break;
    }
}

static void
replay_sealed(struct log_store *s, const struct record_event *x)
{
    struct store_segment *g = segment_find(s, x->a);
    if (g == NULL || g->generation != x->b || g->state != SEGMENT_DOUBT ||
        x->c < FORMAT_BLOCK || x->c > g->size)
        return;
    g->state = SEGMENT_READING;
    g->end = x->c;
    // A tail may have been read further than it was known to be durable.
    if (x->time > FORMAT_BLOCK)
        g->durable = math_min((uint64_t)x->time, g->end);
}

void
notes_replay(struct log_store *s, enum record_type type, struct str meta,
             struct store_segment *g, uint64_t offset)
{
    struct record_note n;
    struct record_expanded x;
    struct record_event event;
    struct arena a = {0};
    struct msgid id;

    if (type == RECORD_SEALED) {
        if (record_parse_event(meta, &event))
            replay_sealed(s, &event);
        return;
    }
    if (!record_id(meta, &id) || (id.writer == 0 && id.seq == 0))
        return;
    uint32_t i = table_find(&s->table, id);
    if (i == TABLE_NONE)
        i = table_add(&s->table, id);
    if (type == RECORD_OUTCOME || type == RECORD_DEFERRED) {
        if (record_parse_note(meta, &n))
            replay_note(s, i, &n);
    } else if (type == RECORD_EXPANDED) {
        if (record_parse_expanded(&a, meta, &x))
            replay_expanded(s, i, &x);
    } else if (record_parse_event(meta, &event)) {
        replay_event(s, type, i, &event);
    }
    notes_placed(s, type, meta, g, offset);
    arena_fini(&a);
}

/* ---- reading back -------------------------------------------------------- */

/* The record at a recipient's note, verified; meta lives in the arena. */
static bool
load_placed(struct log_store *s, const struct table_rcpt *r, struct arena *a,
            enum record_type *type, struct str *meta)
{
    const struct store_segment *g = s->segments[r->note_segment];
    uint64_t offset = (uint64_t)r->note_at * 8;
    unsigned char head[FORMAT_RECORD];
    struct record_header h;
    struct err e;

    if (g == NULL ||
        !io_read(s->setup.disk, g->fd, head, sizeof head, offset, "ledger", &e))
        return false;
    format_peek_record(head, &h);
    if (h.meta > g->size - offset)
        return false;
    char *bytes = arena_alloc(a, h.meta);
    if (!io_read(s->setup.disk, g->fd, bytes, h.meta, offset + FORMAT_RECORD,
                 "ledger", &e))
        return false;
    *meta = str_from_n(bytes, h.meta);
    *type = (enum record_type)h.type;
    if (format_verify_record(head, segment_seed(g), offset, *meta))
        return true;
    store_corrupt(s, g, offset, "a record of what became of a message");
    return false;
}

static bool
understand(struct arena *a, enum record_type type, struct str meta,
           uint32_t rcpt, struct record_note *out)
{
    struct record_expanded x;
    *out = (struct record_note){0};
    if (type == RECORD_OUTCOME || type == RECORD_DEFERRED)
        return record_parse_note(meta, out) && out->rcpt == rcpt;
    if (type != RECORD_EXPANDED || !record_parse_expanded(a, meta, &x) ||
        rcpt < x.first || rcpt - x.first >= x.n)
        return false;
    out->address = x.targets[rcpt - x.first];
    return true;
}

/* What was just added, or has no segment to go to, is in memory only. */
static bool
load(struct log_store *s, const struct table_rcpt *r, struct arena *a,
     enum record_type *type, struct str *meta)
{
    if (r->note_segment != STORE_WAITING)
        return r->note_segment != TABLE_NONE &&
               load_placed(s, r, a, type, meta);
    if (!ledger_waiting(s, r->note_at, type, meta))
        return false;
    *meta = arena_dup(a, *meta);
    return true;
}

bool
notes_read(struct log_store *s, uint32_t entry, uint32_t rcpt, struct arena *a,
           struct record_note *out)
{
    enum record_type type;
    struct str meta;

    ledger_mark(s);
    *out = (struct record_note){0};
    return load(s, table_rcpt(&s->table, entry, rcpt), a, &type, &meta) &&
           understand(a, type, meta, rcpt, out);
}
