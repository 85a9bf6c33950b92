/* SPDX-License-Identifier: ISC */
#include "spool/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { CHUNK = 512, FIRST_BUCKETS = 1024 };

/* The recipients of a message with more than one, and the time of the first
 * that waits. */
struct table_many {
    int64_t due;
    uint32_t cap, leased;
    struct table_rcpt rcpts[];
};

void
table_init(struct table *t)
{
    *t = (struct table){.free = TABLE_NONE};
}

struct table_entry *
table_at(const struct table *t, uint32_t i)
{
    return &t->chunks[i / CHUNK][i % CHUNK];
}

static bool
in_use(const struct table_entry *e)
{
    return e->id.writer != 0 || e->id.seq != 0;
}

bool
table_next(const struct table *t, uint32_t *i)
{
    while (*i < t->n_chunks * CHUNK && !in_use(table_at(t, *i)))
        ++*i;
    return *i < t->n_chunks * CHUNK;
}

void
table_fini(struct table *t)
{
    for (uint32_t i = 0; table_next(t, &i); i++)
        if (table_at(t, i)->n_rcpts > 1)
            free(table_at(t, i)->many);
    for (size_t i = 0; i < t->n_chunks; i++)
        free(t->chunks[i]);
    free(t->chunks);
    free(t->buckets);
    free(t->heap);
    table_init(t);
}

static size_t
bucket_of(const struct table *t, struct msgid id)
{
    uint64_t h = (id.writer * UINT64_C(0x9e3779b97f4a7c15)) ^ id.seq;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return (size_t)(h >> 32) & (t->n_buckets - 1);
}

uint32_t
table_find(const struct table *t, struct msgid id)
{
    if (t->n_buckets == 0)
        return TABLE_NONE;
    uint32_t i = t->buckets[bucket_of(t, id)];
    while (i != TABLE_NONE && !msgid_eq(table_at(t, i)->id, id))
        i = table_at(t, i)->hash_next;
    return i;
}

static void
link_bucket(struct table *t, uint32_t i)
{
    struct table_entry *e = table_at(t, i);
    uint32_t *bucket = &t->buckets[bucket_of(t, e->id)];
    e->hash_next = *bucket;
    *bucket = i;
}

static void
grow_buckets(struct table *t)
{
    free(t->buckets);
    t->n_buckets = t->n_buckets == 0 ? FIRST_BUCKETS : t->n_buckets * 2;
    t->buckets = alloc_array(t->n_buckets, sizeof *t->buckets);
    memset(t->buckets, 0xff, t->n_buckets * sizeof *t->buckets);
    for (uint32_t i = 0; table_next(t, &i); i++)
        link_bucket(t, i);
}

static void
add_chunk(struct table *t)
{
    uint32_t first = (uint32_t)(t->n_chunks * CHUNK);
    bool fits = first < TABLE_NONE - CHUNK;
    assert(fits);
    t->chunks = alloc_resize(t->chunks,
                             (t->n_chunks + 1) * sizeof(struct table_entry *));
    t->chunks[t->n_chunks++] = alloc_array(CHUNK, sizeof(struct table_entry));
    for (uint32_t i = CHUNK; i > 0; i--) {
        table_at(t, first + i - 1)->hash_next = t->free;
        t->free = first + i - 1;
    }
}

uint32_t
table_add(struct table *t, struct msgid id)
{
    if (t->count >= t->n_buckets)
        grow_buckets(t);
    if (t->free == TABLE_NONE)
        add_chunk(t);
    uint32_t i = t->free;
    struct table_entry *e = table_at(t, i);
    t->free = e->hash_next;
    *e = (struct table_entry){.id = id,
                              .segment = TABLE_NONE,
                              .since = TABLE_NONE,
                              .heap_at = TABLE_NONE};
    link_bucket(t, i);
    t->count++;
    t->ghosts++;
    return i;
}

static void leave_heap(struct table *t, uint32_t i);

void
table_place(struct table *t, uint32_t i, uint32_t segment, uint64_t at)
{
    struct table_entry *e = table_at(t, i);
    if (e->segment == TABLE_NONE && segment != TABLE_NONE) {
        t->ghosts--;
        t->rcpts += e->n_rcpts;
    } else if (e->segment != TABLE_NONE && segment == TABLE_NONE) {
        leave_heap(t, i);
        t->ghosts++;
        t->rcpts -= e->n_rcpts;
    }
    e->segment = segment;
    e->at = (uint32_t)(at / 8);
}

uint64_t
table_offset(const struct table_entry *e)
{
    return (uint64_t)e->at * 8;
}

/* ---- order of time ----------------------------------------------------- */

int64_t
table_due(const struct table *t, uint32_t i)
{
    const struct table_entry *e = table_at(t, i);
    return e->n_rcpts == 1 ? e->one.next_ms : e->many->due;
}

static void
put_heap(struct table *t, size_t at, uint32_t i)
{
    t->heap[at] = i;
    table_at(t, i)->heap_at = (uint32_t)at;
}

static void
sift_up(struct table *t, size_t at, uint32_t i)
{
    int64_t due = table_due(t, i);
    while (at > 0 && table_due(t, t->heap[(at - 1) / 2]) > due) {
        put_heap(t, at, t->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put_heap(t, at, i);
}

static void
sift_down(struct table *t, size_t at, uint32_t i)
{
    int64_t due = table_due(t, i);
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= t->n_heap)
            break;
        if (child + 1 < t->n_heap &&
            table_due(t, t->heap[child + 1]) < table_due(t, t->heap[child]))
            child++;
        if (table_due(t, t->heap[child]) >= due)
            break;
        put_heap(t, at, t->heap[child]);
        at = child;
    }
    put_heap(t, at, i);
}

static void
leave_heap(struct table *t, uint32_t i)
{
    struct table_entry *e = table_at(t, i);
    size_t at = e->heap_at;
    if (at == TABLE_NONE)
        return;
    e->heap_at = TABLE_NONE;
    uint32_t last = t->heap[--t->n_heap];
    if (last == i)
        return;
    if (at > 0 && table_due(t, t->heap[(at - 1) / 2]) > table_due(t, last))
        sift_up(t, at, last);
    else
        sift_down(t, at, last);
}

static void
enter_heap(struct table *t, uint32_t i)
{
    if (t->n_heap == t->cap_heap) {
        t->cap_heap = t->cap_heap * 2 + 1024;
        t->heap = alloc_resize(t->heap, t->cap_heap * sizeof *t->heap);
    }
    sift_up(t, t->n_heap++, i);
}

/* The earliest time of a recipient that waits; INT64_MAX: none does. */
static int64_t
earliest(const struct table *t, uint32_t i)
{
    const struct table_entry *e = table_at(t, i);
    int64_t due = INT64_MAX;
    for (uint32_t k = 0; k < e->n_rcpts; k++) {
        const struct table_rcpt *r = table_rcpt(t, i, k);
        if (r->state == RCPT_DUE && r->next_ms < due)
            due = r->next_ms;
    }
    return due;
}

void
table_settle(struct table *t, uint32_t i)
{
    struct table_entry *e = table_at(t, i);
    int64_t due = INT64_MAX;

    leave_heap(t, i);
    if (e->segment != TABLE_NONE && (e->flags & TABLE_HELD) == 0)
        due = earliest(t, i);
    if (due == INT64_MAX)
        return;
    if (e->n_rcpts > 1)
        e->many->due = due;
    enter_heap(t, i);
}

void
table_settle_rcpt(struct table *t, uint32_t i, uint32_t rcpt)
{
    struct table_entry *e = table_at(t, i);
    int64_t next = table_rcpt(t, i, rcpt)->next_ms;
    if (e->heap_at != TABLE_NONE && e->n_rcpts > 1 && next >= e->many->due)
        return; // it is due already before that; claiming looks at all
    if (e->heap_at == TABLE_NONE && e->n_rcpts > 1 &&
        (e->flags & TABLE_HELD) == 0) {
        e->many->due = next; // nobody else waits
        enter_heap(t, i);
        return;
    }
    table_settle(t, i);
}

uint32_t
table_first(const struct table *t)
{
    return t->n_heap > 0 ? t->heap[0] : TABLE_NONE;
}

/* ---- recipients -------------------------------------------------------- */

struct table_rcpt *
table_rcpt(const struct table *t, uint32_t i, uint32_t rcpt)
{
    struct table_entry *e = table_at(t, i);
    if (e->n_rcpts == 1)
        return &e->one;
    return &e->many->rcpts[rcpt];
}

/* An array for n recipients, with those there were. */
static struct table_many *
make_array(struct table *t, const struct table_entry *e, uint32_t n)
{
    uint32_t cap = n;
    struct table_many *m;
    if (e->n_rcpts > 1) {
        if (n <= e->many->cap)
            return e->many;
        cap = n + n / 2;
        t->extra -= sizeof *m + e->many->cap * sizeof *m->rcpts;
        m = alloc_resize(e->many, sizeof *m + cap * sizeof *m->rcpts);
    } else {
        m = alloc_resize(NULL, sizeof *m + cap * sizeof *m->rcpts);
        if (e->n_rcpts == 1)
            m->rcpts[0] = e->one;
        m->due = e->n_rcpts == 1 ? e->one.next_ms : INT64_MAX;
        m->leased = e->n_rcpts == 1 && e->one.state == RCPT_LEASED;
    }
    t->extra += sizeof *m + cap * sizeof *m->rcpts;
    m->cap = cap;
    return m;
}

void
table_grow(struct table *t, uint32_t i, uint32_t n, int64_t due_ms)
{
    struct table_entry *e = table_at(t, i);
    uint32_t from = e->n_rcpts;

    if (n <= from)
        return;
    if (n > 1)
        e->many = make_array(t, e, n);
    e->n_rcpts = n;
    e->n_open += n - from;
    if (e->segment != TABLE_NONE)
        t->rcpts += n - from;
    for (uint32_t k = from; k < n; k++)
        *table_rcpt(t, i, k) = (struct table_rcpt){
            .next_ms = due_ms, .note_segment = TABLE_NONE, .parent = k};
}

void
table_set_state(struct table *t, uint32_t i, uint32_t rcpt,
                enum rcpt_state state)
{
    struct table_entry *e = table_at(t, i);
    struct table_rcpt *r = table_rcpt(t, i, rcpt);
    bool was_final = r->state == RCPT_DONE || r->state == RCPT_EXPANDED;
    bool is_final = state == RCPT_DONE || state == RCPT_EXPANDED;
    e->n_open = e->n_open + was_final - is_final;
    if (e->n_rcpts > 1)
        e->many->leased = e->many->leased + (state == RCPT_LEASED) -
                          (r->state == RCPT_LEASED);
    r->state = (uint8_t)state;
}

uint32_t
table_leased(const struct table *t, uint32_t i)
{
    const struct table_entry *e = table_at(t, i);
    if (e->n_rcpts > 1)
        return e->many->leased;
    return e->n_rcpts == 1 && e->one.state == RCPT_LEASED;
}

void
table_remove(struct table *t, uint32_t i)
{
    struct table_entry *e = table_at(t, i);
    uint32_t *at = &t->buckets[bucket_of(t, e->id)];

    leave_heap(t, i);
    while (*at != i)
        at = &table_at(t, *at)->hash_next;
    *at = e->hash_next;
    if (e->n_rcpts > 1) {
        t->extra -= sizeof *e->many + e->many->cap * sizeof *e->many->rcpts;
        free(e->many);
    }
    if (e->segment == TABLE_NONE)
        t->ghosts--;
    else
        t->rcpts -= e->n_rcpts;
    t->count--;
    *e = (struct table_entry){.hash_next = t->free};
    t->free = i;
}

size_t
table_memory(const struct table *t)
{
    return t->n_chunks * CHUNK * sizeof(struct table_entry) +
           t->n_buckets * sizeof *t->buckets + t->cap_heap * sizeof *t->heap +
           t->extra;
}
