/* SPDX-License-Identifier: ISC */
#include "base/alloc.h"
#include "spool/key.h"
#include "spool/memory_internal.h"
#include "spool/ops.h"

#include <stdlib.h>
#include <string.h>

struct memory_store {
    struct spool_store base;
    struct memory_spool *spool;
};

static struct memory_spool *
spool_of(const struct spool_store *s)
{
    return ((const struct memory_store *)s)->spool;
}

struct memory_spool *
memory_spool_new(void)
{
    return alloc_zero(sizeof(struct memory_spool));
}

void
memory_spool_free(struct memory_spool *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n; i++)
        memory_entry_free(m->entries[i]);
    free(m->entries);
    free(m);
}

void
memory_spool_fail(struct memory_spool *m, enum spool_result begin,
                  enum spool_result commit)
{
    m->begin = begin;
    m->commit = commit;
}

void
memory_entry_free(struct memory_entry *e)
{
    arena_fini(&e->arena);
    buf_fini(&e->content);
    free(e->rcpts);
    free(e);
}

static struct memory_entry *
find(const struct memory_spool *m, struct msgid id)
{
    for (size_t i = 0; i < m->n; i++)
        if (msgid_eq(m->entries[i]->id, id))
            return m->entries[i];
    return NULL;
}

static struct memory_rcpt *
find_rcpt(struct memory_entry *e, uint32_t rcpt, enum rcpt_state state)
{
    if (e == NULL || rcpt >= e->n_rcpts || e->rcpts[rcpt].state != state)
        return NULL;
    return &e->rcpts[rcpt];
}

static bool
is_final(const struct memory_rcpt *r)
{
    return r->state == RCPT_DONE || r->state == RCPT_EXPANDED;
}

/* The message goes when nothing of it is open and nothing is owed. */
static void
drop_if_done(struct memory_spool *m, struct memory_entry *e)
{
    size_t i = 0;
    for (size_t k = 0; k < e->n_rcpts; k++)
        if (!is_final(&e->rcpts[k]))
            return;
    while (m->entries[i] != e)
        i++;
    m->n--;
    memmove(&m->entries[i], &m->entries[i + 1],
            (m->n - i) * sizeof(struct memory_entry *));
    memory_entry_free(e);
}

static void
pay(struct memory_spool *m, struct str text)
{
    struct spool_key key;
    struct memory_entry *e;
    uint32_t first, last;

    if (!key_parse(text, &key) || (e = find(m, key.original)) == NULL)
        return;
    while (key.ranges.n > 0 && key_next(&key.ranges, &first, &last))
        for (size_t i = first; i <= last && i < e->n_rcpts; i++) {
            struct memory_rcpt *r = &e->rcpts[i];
            r->owes &= ~key.kind;
            if (r->state == RCPT_OWES && r->owes == 0)
                r->state = RCPT_DONE;
        }
    drop_if_done(m, e);
}

void
memory_spool_add(struct memory_spool *m, struct memory_entry *e)
{
    if (m->n == m->cap) {
        m->cap = m->cap * 2 + 16;
        m->entries =
            alloc_resize(m->entries, m->cap * sizeof(struct memory_entry *));
    }
    m->entries[m->n++] = e;
    if (e->envelope.notice.n > 0)
        pay(m, e->envelope.notice);
}

/* When this message is next due; INT64_MAX: it is not waiting. */
static int64_t
entry_due(const struct memory_entry *e)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < e->n_rcpts && !e->held; i++)
        if (e->rcpts[i].state == RCPT_DUE && e->rcpts[i].next_ms < due)
            due = e->rcpts[i].next_ms;
    return due;
}

static struct spool_locator
locate(const struct memory_entry *e)
{
    return (struct spool_locator){.segment = e->id.writer,
                                  .offset = e->id.seq,
                                  .content_size = e->content.n,
                                  .needs_stuffing = e->needs_stuffing};
}

static struct spool_rcpt
view_rcpt(struct arena *a, const struct memory_entry *e, size_t i)
{
    const struct memory_rcpt *r = &e->rcpts[i];
    bool held = e->held && r->state == RCPT_DUE;
    return (struct spool_rcpt){.index = (uint32_t)i,
                               .address = arena_dup(a, r->address),
                               .orcpt = arena_dup(a, r->orcpt),
                               .notify = r->notify,
                               .state = held ? RCPT_HELD : r->state,
                               .attempts = r->attempts,
                               .next_ms = r->next_ms,
                               .last = verdict_dup(a, &r->last),
                               .parent = r->parent};
}

static struct envelope
copy_envelope(struct arena *a, const struct envelope *e)
{
    struct buf bytes = {0};
    struct envelope copy;
    envelope_encode(&bytes, e);
    (void)envelope_decode(a, arena_dup(a, buf_str(&bytes)), &copy);
    buf_fini(&bytes);
    return copy;
}

static bool
claim(struct spool_store *s, struct instant now, struct arena *a,
      struct spool_claim *out)
{
    struct memory_spool *m = spool_of(s);
    struct memory_entry *e = NULL;

    for (size_t i = 0; i < m->n; i++)
        if (e == NULL || entry_due(m->entries[i]) < entry_due(e))
            e = m->entries[i];
    if (e == NULL || entry_due(e) > now.wall_ms)
        return false;
    *out = (struct spool_claim){.id = e->id,
                                .envelope = copy_envelope(a, &e->envelope),
                                .at = locate(e),
                                .size = e->content.n,
                                .crashes = e->crashes};
    out->rcpts = arena_array(a, e->n_rcpts, sizeof *out->rcpts);
    for (size_t i = 0; i < e->n_rcpts; i++) {
        struct memory_rcpt *r = &e->rcpts[i];
        if (r->state != RCPT_DUE || r->next_ms > now.wall_ms)
            continue;
        r->state = RCPT_LEASED;
        out->rcpts[out->n_rcpts++] = view_rcpt(a, e, i);
    }
    return true;
}

static int64_t
next_due(const struct spool_store *s)
{
    const struct memory_spool *m = spool_of(s);
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < m->n; i++)
        if (entry_due(m->entries[i]) < due)
            due = entry_due(m->entries[i]);
    return due;
}

static bool
settle(struct spool_store *s, const struct spool_settlement *x)
{
    struct memory_entry *e = find(spool_of(s), x->id);
    struct memory_rcpt *r = find_rcpt(e, x->rcpt, RCPT_LEASED);

    if (r == NULL)
        return false;
    if (x->verdict.outcome == OUTCOME_NONE) {
        r->state = RCPT_DUE;
        r->next_ms = x->next_ms;
        return true;
    }
    r->attempts++;
    r->last = verdict_dup(&e->arena, &x->verdict);
    if (x->verdict.outcome == OUTCOME_LATER && !x->give_up) {
        r->state = RCPT_DUE;
        r->next_ms = x->next_ms;
        return true;
    }
    r->owes = x->notice;
    r->state = r->owes != 0 ? RCPT_OWES : RCPT_DONE;
    drop_if_done(spool_of(s), e);
    return true;
}

static void
unlease(struct spool_store *s, struct msgid id, uint32_t rcpt, int64_t next_ms)
{
    struct memory_rcpt *r = find_rcpt(find(spool_of(s), id), rcpt, RCPT_LEASED);
    if (r == NULL)
        return;
    r->state = RCPT_DUE;
    r->next_ms = next_ms;
}

static bool
lease(struct spool_store *s, struct msgid id, uint32_t rcpt)
{
    struct memory_rcpt *r = find_rcpt(find(spool_of(s), id), rcpt, RCPT_DUE);
    if (r == NULL)
        return false;
    r->state = RCPT_LEASED;
    return true;
}

/* Nothing outlives this queue. */
static void
handed(struct spool_store *s, struct msgid id)
{
    (void)s;
    (void)id;
}

static bool
crashed(struct spool_store *s, struct msgid id, const uint32_t *rcpts, size_t n,
        int64_t next_ms)
{
    struct memory_entry *e = find(spool_of(s), id);
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        any = any || find_rcpt(e, rcpts[i], RCPT_LEASED) != NULL;
        unlease(s, id, rcpts[i], next_ms);
    }
    if (any && ++e->crashes >= SPOOL_CRASHES_MAX) {
        e->held = true;
        e->hold_reason = SPOOL_CRASHES_REASON;
    }
    return any;
}

static bool
expand(struct spool_store *s, struct msgid id, uint32_t rcpt,
       const struct str *targets, size_t n, uint32_t *out)
{
    struct memory_entry *e = find(spool_of(s), id);
    struct memory_rcpt *r = find_rcpt(e, rcpt, RCPT_LEASED);

    if (r == NULL)
        return false;
    r->state = RCPT_EXPANDED;
    e->rcpts = alloc_resize(e->rcpts, (e->n_rcpts + n) * sizeof *e->rcpts);
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint32_t)e->n_rcpts;
        e->rcpts[e->n_rcpts++] = (struct memory_rcpt){
            .address = arena_dup(&e->arena, targets[i]),
            .orcpt = STR_EMPTY,
            .notify = e->rcpts[rcpt].notify,
            .state = RCPT_LEASED,
            .parent = rcpt,
            .next_ms = e->rcpts[rcpt].next_ms,
        };
    }
    drop_if_done(spool_of(s), e);
    return true;
}

static bool
hold(struct spool_store *s, struct msgid id, struct str reason)
{
    struct memory_entry *e = find(spool_of(s), id);
    if (e == NULL)
        return false;
    e->held = true;
    e->hold_reason = arena_dup(&e->arena, reason);
    return true;
}

static bool
reschedule(struct spool_store *s, struct msgid id, int64_t due_ms)
{
    struct memory_entry *e = find(spool_of(s), id);
    for (size_t i = 0; e != NULL && i < e->n_rcpts; i++)
        if (e->rcpts[i].state == RCPT_DUE)
            e->rcpts[i].next_ms = due_ms;
    return e != NULL;
}

static bool
release(struct spool_store *s, struct msgid id, int64_t due_ms)
{
    struct memory_entry *e = find(spool_of(s), id);
    if (e == NULL || !e->held)
        return false;
    e->held = false;
    e->crashes = 0;
    return reschedule(s, id, due_ms);
}

static bool
remove_message(struct spool_store *s, struct msgid id)
{
    struct memory_entry *e = find(spool_of(s), id);
    if (e == NULL)
        return false;
    for (size_t i = 0; i < e->n_rcpts; i++)
        if (e->rcpts[i].state == RCPT_LEASED)
            return false;
    for (size_t i = 0; i < e->n_rcpts; i++)
        e->rcpts[i].state = RCPT_DONE;
    drop_if_done(spool_of(s), e);
    return true;
}

/* Gathers what is owed and not handed out: all bounces of a message together,
 * and all reports of success; an autoreply for each recipient. */
static bool
take_owed(struct memory_entry *e, unsigned kind, struct arena *a,
          struct spool_notice *out)
{
    struct buf key = {0};
    *out = (struct spool_notice){.original = e->id, .kind = kind};
    out->rcpts = arena_array(a, e->n_rcpts, sizeof *out->rcpts);
    for (size_t i = 0; i < e->n_rcpts; i++) {
        struct memory_rcpt *r = &e->rcpts[i];
        if (r->state != RCPT_OWES || (r->owes & kind & ~r->handed) == 0)
            continue;
        r->handed |= kind;
        out->rcpts[out->n_rcpts++] = (uint32_t)i;
        if (kind == NOTICE_AUTOREPLY)
            break;
    }
    if (out->n_rcpts == 0)
        return false;
    key_format(&key, e->id, kind, out->rcpts, out->n_rcpts);
    out->key = arena_dup(a, buf_str(&key));
    buf_fini(&key);
    return true;
}

static bool
next_notice(struct spool_store *s, struct arena *a, struct spool_notice *out)
{
    struct memory_spool *m = spool_of(s);
    for (size_t i = 0; i < m->n; i++)
        if (take_owed(m->entries[i], NOTICE_BOUNCE, a, out) ||
            take_owed(m->entries[i], NOTICE_SUCCESS, a, out) ||
            take_owed(m->entries[i], NOTICE_AUTOREPLY, a, out))
            return true;
    return false;
}

static void
notice_declined(struct spool_store *s, struct str key)
{
    pay(spool_of(s), key);
}

static void
notices_again(struct spool_store *s)
{
    struct memory_spool *m = spool_of(s);
    for (size_t i = 0; i < m->n; i++)
        for (size_t k = 0; k < m->entries[i]->n_rcpts; k++)
            m->entries[i]->rcpts[k].handed = 0;
}

static void
ids(struct spool_store *s, void (*fn)(void *ctx, struct msgid id), void *ctx)
{
    const struct memory_spool *m = spool_of(s);
    for (size_t i = 0; i < m->n; i++)
        fn(ctx, m->entries[i]->id);
}

static bool
show(struct spool_store *s, struct msgid id, struct arena *a,
     struct spool_view *out)
{
    const struct memory_entry *e = find(spool_of(s), id);
    if (e == NULL)
        return false;
    *out = (struct spool_view){.id = id,
                               .envelope = copy_envelope(a, &e->envelope),
                               .size = e->content.n,
                               .n_rcpts = e->n_rcpts,
                               .held = e->held,
                               .hold_reason = arena_dup(a, e->hold_reason),
                               .at = locate(e)};
    out->rcpts = arena_array(a, e->n_rcpts, sizeof *out->rcpts);
    for (size_t i = 0; i < e->n_rcpts; i++)
        out->rcpts[i] = view_rcpt(a, e, i);
    return true;
}

static void
list(struct spool_store *s, spool_view_fn fn, void *ctx)
{
    const struct memory_spool *m = spool_of(s);
    bool more = true;
    for (size_t i = 0; i < m->n && more; i++) {
        struct arena a = {0};
        struct spool_view v;
        more = show(s, m->entries[i]->id, &a, &v) && fn(ctx, &v);
        arena_fini(&a);
    }
}

static size_t
count(const struct spool_store *s)
{
    return spool_of(s)->n;
}

static void
turn(struct spool_store *s, struct instant now)
{
    (void)s;
    (void)now;
}

static int64_t
wake(const struct spool_store *s)
{
    (void)s;
    return INT64_MAX;
}

static bool
read_content(struct spool_store *s, const struct spool_locator *at,
             struct buf *to, struct err *e)
{
    struct msgid id = {at->segment, at->offset};
    const struct memory_entry *entry = find(spool_of(s), id);
    if (entry == NULL)
        return err_set(e, "read: no such message");
    buf_add(to, buf_str(&entry->content));
    return true;
}

static void
store_free(struct spool_store *s)
{
    free(s);
}

static const struct spool_store_ops ops = {
    .claim = claim,
    .next_due = next_due,
    .settle = settle,
    .unlease = unlease,
    .lease = lease,
    .handed = handed,
    .crashed = crashed,
    .expand = expand,
    .hold = hold,
    .release = release,
    .reschedule = reschedule,
    .remove = remove_message,
    .next_notice = next_notice,
    .notice_declined = notice_declined,
    .notices_again = notices_again,
    .ids = ids,
    .list = list,
    .show = show,
    .count = count,
    .turn = turn,
    .wake = wake,
    .read = read_content,
    .free = store_free,
};

struct spool_store *
memory_store_new(struct memory_spool *m)
{
    struct memory_store *s = alloc_zero(sizeof *s);
    *s = (struct memory_store){.base = {&ops}, .spool = m};
    return &s->base;
}
