/* SPDX-License-Identifier: ISC */
/*
 * What is due, and what is there to be seen. The envelope is read from the log
 * when it is asked for: one read of some hundred octets a claim.
 *
 * Transition of a recipient: R1 waiting -> R2 in hand.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/io.h"
#include "spool/reader.h"
#include "spool/store_internal.h"

enum { META_GUESS = 4096 };

/* Header and meta of the record into `bytes`; false with *e. */
static bool
read_meta(struct log_store *s, const struct store_segment *g, uint64_t offset,
          size_t guess, struct buf *bytes, struct err *e)
{
    const struct disk *disk = s->setup.disk;
    struct record_header h;
    size_t n = FORMAT_RECORD + guess;

    if (n > g->size - offset)
        n = (size_t)(g->size - offset);
    char *to = buf_reserve(bytes, n);
    if (n < FORMAT_RECORD || !io_read(disk, g->fd, to, n, offset, "segment", e))
        return n >= FORMAT_RECORD || err_set(e, "read segment: no record");
    bytes->n = n;
    format_peek_record((const unsigned char *)bytes->p, &h);
    if (h.meta > g->size - offset - FORMAT_RECORD)
        return err_set(e, "read segment: bad record");
    size_t need = FORMAT_RECORD + h.meta;
    if (need > n) {
        to = buf_reserve(bytes, need - n);
        if (!io_read(disk, g->fd, to, need - n, offset + n, "segment", e))
            return false;
    }
    bytes->n = need;
    return true;
}

bool
claim_load(struct log_store *s, uint32_t entry, struct arena *a,
           struct record_message *m, struct err *e)
{
    const struct table_entry *t = table_at(&s->table, entry);
    const struct store_segment *g = s->segments[t->segment];
    uint64_t offset = table_offset(t);
    struct buf bytes = {0};
    bool ok = read_meta(s, g, offset, t->meta > 0 ? t->meta * 8u : META_GUESS,
                        &bytes, e);
    struct str whole = arena_dup(a, buf_str(&bytes));

    buf_fini(&bytes);
    if (!ok)
        return false;
    struct str meta = str_from_pos(whole, FORMAT_RECORD);
    if (format_verify_record((const unsigned char *)whole.p, segment_seed(g),
                             offset, meta) &&
        record_parse_message(meta, m) && msgid_eq(m->id, t->id))
        return true;
    store_corrupt(s, g, offset, "the record of a message");
    return err_set(e, "its record in segment-%llu at %llu is damaged",
                   (unsigned long long)g->number, (unsigned long long)offset);
}

static struct spool_locator
locate(const struct log_store *s, const struct table_entry *t,
       const struct record_message *m)
{
    const struct store_segment *g = s->segments[t->segment];
    uint64_t offset = table_offset(t);
    // id, size, large, envelope: as record_add_message() lays them out
    uint64_t meta = 32 + m->envelope.n;
    return (struct spool_locator){
        .segment = g->number,
        .generation = g->generation,
        .offset = offset,
        .content_at = offset + FORMAT_RECORD + meta,
        .content_size = m->size,
        .large = m->large,
        .needs_stuffing = (t->flags & TABLE_STUFFING) != 0,
    };
}

/* What an expansion made keeps the NOTIFY of the recipient it came from. */
static unsigned
inherited_notify(const struct log_store *s, uint32_t entry, uint32_t k,
                 const struct envelope *v)
{
    uint32_t parent;
    while (k >= v->n_rcpts) {
        if ((parent = table_rcpt(&s->table, entry, k)->parent) >= k)
            return NOTIFY_DEFAULT; // as damaged as that is
        k = parent;
    }
    return v->rcpts[k].notify;
}

static struct spool_rcpt
view_rcpt(struct log_store *s, uint32_t entry, uint32_t k, struct arena *a,
          const struct envelope *v)
{
    const struct table_entry *t = table_at(&s->table, entry);
    const struct table_rcpt *r = table_rcpt(&s->table, entry, k);
    struct spool_rcpt out = {.index = k,
                             .state = (enum rcpt_state)r->state,
                             .attempts = r->attempts,
                             .next_ms = r->next_ms,
                             .parent = r->parent};
    struct record_note n;
    bool original = k < v->n_rcpts;

    if (out.state == RCPT_DUE && (t->flags & TABLE_HELD) != 0)
        out.state = RCPT_HELD;
    if (original) {
        out.address = v->rcpts[k].address;
        out.orcpt = v->rcpts[k].orcpt;
    }
    out.notify = inherited_notify(s, entry, k, v);
    bool noted = r->attempts > 0 || !original;
    if (noted && notes_read(s, entry, k, a, &n)) {
        out.last = n.last;
        if (!original)
            out.address = n.address;
    }
    return out;
}

/* What cannot be read is held, so that it is seen and not tried for ever. */
static void
hold_unreadable(struct log_store *s, uint32_t i, const struct err *e)
{
    struct msgid id = table_at(&s->table, i)->id;
    store_trouble(s, e);
    (void)log_store_hold(&s->base, id, str_from(e->text));
}

/* Leases what is due of this entry. */
static void
lease_due(struct log_store *s, uint32_t i, int64_t now_ms, struct arena *a,
          struct spool_claim *out)
{
    uint32_t n = table_at(&s->table, i)->n_rcpts;
    out->rcpts = arena_array(a, n, sizeof *out->rcpts);
    for (uint32_t k = 0; k < n; k++) {
        struct table_rcpt *r = table_rcpt(&s->table, i, k);
        if (r->state != RCPT_DUE || r->next_ms > now_ms)
            continue;
        struct spool_rcpt view = view_rcpt(s, i, k, a, &out->envelope);
        table_set_state(&s->table, i, k, RCPT_LEASED);
        view.state = RCPT_LEASED;
        out->rcpts[out->n_rcpts++] = view;
    }
    table_settle(&s->table, i);
}

/* It was in hand when the queue died, and no worker came back with it. */
static bool
counts_as_crash(struct log_store *s, uint32_t i)
{
    struct table_entry *t = table_at(&s->table, i);
    if ((t->flags & TABLE_DOUBT) == 0)
        return false;
    t->flags &= (uint8_t)~TABLE_DOUBT;
    settle_crash(s, i);
    return (t->flags & TABLE_HELD) != 0;
}

bool
log_store_claim(struct spool_store *base, struct instant now, struct arena *a,
                struct spool_claim *out)
{
    struct log_store *s = store_of(base);
    struct record_message m = {0};
    struct err e = {0};
    uint32_t i;

    // Without a place for outcomes nothing may be tried.
    if (!ledger_ready(s))
        return false;
    while ((i = table_first(&s->table)) != TABLE_NONE &&
           table_due(&s->table, i) <= now.wall_ms) {
        *out = (struct spool_claim){.id = table_at(&s->table, i)->id};
        if (counts_as_crash(s, i))
            continue;
        if (!claim_load(s, i, a, &m, &e)) {
            hold_unreadable(s, i, &e);
            continue;
        }
        if (!envelope_decode(a, m.envelope, &out->envelope)) {
            (void)err_set(&e, "its envelope is damaged");
            hold_unreadable(s, i, &e);
            continue;
        }
        lease_due(s, i, now.wall_ms, a, out);
        if (out->n_rcpts == 0)
            continue; // its time was that of one leased meanwhile
        const struct table_entry *t = table_at(&s->table, i);
        out->at = locate(s, t, &m);
        out->size = m.size;
        out->crashes = t->crashes;
        return true;
    }
    return false;
}

int64_t
log_store_next_due(const struct spool_store *base)
{
    const struct log_store *s = (const struct log_store *)base;
    uint32_t i = table_first(&s->table);
    return i == TABLE_NONE ? INT64_MAX : table_due(&s->table, i);
}

void
log_store_ids(struct spool_store *base, void (*fn)(void *ctx, struct msgid id),
              void *ctx)
{
    struct log_store *s = store_of(base);
    for (uint32_t i = 0; table_next(&s->table, &i); i++)
        if (table_at(&s->table, i)->segment != TABLE_NONE)
            fn(ctx, table_at(&s->table, i)->id);
}

static bool
show(struct log_store *s, uint32_t i, struct arena *a, struct spool_view *out)
{
    const struct table_entry *t = table_at(&s->table, i);
    struct record_message m = {.id = t->id, .size = t->size};
    struct err e;
    bool loaded = claim_load(s, i, a, &m, &e);

    *out =
        (struct spool_view){.id = t->id,
                            .size = m.size,
                            .n_rcpts = t->n_rcpts,
                            .held = (t->flags & TABLE_HELD) != 0,
                            .hold_reason = arena_dup(a, notes_hold(s, t->id))};
    if (loaded)
        out->at = locate(s, t, &m);
    if (!loaded || !envelope_decode(a, m.envelope, &out->envelope)) {
        out->envelope = (struct envelope){0};
        out->unreadable = true;
    }
    out->rcpts = arena_array(a, t->n_rcpts, sizeof *out->rcpts);
    for (uint32_t k = 0; k < t->n_rcpts; k++)
        out->rcpts[k] = view_rcpt(s, i, k, a, &out->envelope);
    return true;
}

bool
log_store_show(struct spool_store *base, struct msgid id, struct arena *a,
               struct spool_view *out)
{
    struct log_store *s = store_of(base);
    uint32_t i = table_find(&s->table, id);
    if (i == TABLE_NONE || table_at(&s->table, i)->segment == TABLE_NONE)
        return false;
    return show(s, i, a, out);
}

void
log_store_list(struct spool_store *base, spool_view_fn fn, void *ctx)
{
    struct log_store *s = store_of(base);
    bool more = true;
    for (uint32_t i = 0; more && table_next(&s->table, &i); i++) {
        struct arena a = {0};
        struct spool_view v;
        if (table_at(&s->table, i)->segment != TABLE_NONE)
            more = show(s, i, &a, &v) && fn(ctx, &v);
        arena_fini(&a);
    }
}

size_t
log_store_count(const struct spool_store *base)
{
    const struct log_store *s = (const struct log_store *)base;
    return s->table.count - s->table.ghosts;
}

bool
log_store_read(struct spool_store *base, const struct spool_locator *at,
               struct buf *to, struct err *e)
{
    struct log_store *s = store_of(base);
    const struct store_segment *g = segment_find(s, at->segment);
    struct spool_reader r;
    struct str bytes;
    bool ok;

    if (g == NULL || g->generation != at->generation)
        return err_set(e, "read: no such message");
    int large = -1;
    if (at->large != 0 && (large = spool_log_store_large(base, at->large)) < 0)
        return err_sys(e, "open", "large file");
    ok = spool_reader_open_any(&r, s->setup.disk, g->fd, large, at, e);
    if (ok) {
        while ((ok = spool_reader_next(&r, &bytes, e)) && bytes.n > 0)
            buf_add(to, bytes);
        spool_reader_close(&r);
    }
    if (large >= 0)
        (void)s->setup.disk->close(s->setup.disk->self, large);
    return ok;
}
