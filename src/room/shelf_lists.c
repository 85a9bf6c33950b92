/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "conf/value.h"
#include "ipc/lookup.h"
#include "os/log.h"
#include "room/shelf_internal.h"

struct shelf_question {
    struct shelf *shelf;
    struct shelf_question *next, *prev;
    uint64_t seq;
    shelf_list_fn fn;
    void *ctx;
    struct arena arena;
    struct str *keys;
    size_t n_keys;
};

/* ---- lists that are mapped --------------------------------------------- */

void
shelf_expect_lists(struct shelf *s, const struct conf *c)
{
    struct conf_list l;
    struct value_source source;

    for (size_t i = 0; i < LIST_COUNT; i++)
        s->lists[i].named = false;
    for (size_t i = 0; conf_list_at(c, i, &l); i++) {
        (void)value_source(l.source, &source);
        s->lists[l.id].named = true;
        s->lists[l.id].asked = source.kind != SOURCE_FILE;
    }
}

bool
shelf_lists_known(const struct shelf *s)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        const struct shelf_list *l = &s->lists[i];
        if (l->named && !l->asked && !l->known)
            return false;
    }
    return true;
}

bool
shelf_asks(const struct shelf *s)
{
    for (size_t i = 0; i < LIST_COUNT; i++)
        if (s->lists[i].named && s->lists[i].asked)
            return true;
    return false;
}

bool
shelf_take_list(struct shelf *s, const struct book_msg *m, int fd)
{
    enum list_id id = list_from_name(m->key);
    struct err e;

    if (id == LIST_COUNT)
        return false;
    struct shelf_list *l = &s->lists[id];
    if (l->named && fd >= 0) {
        struct constdb *map = constdb_open(fd, &e);
        if (map == NULL) {
            log_error(e.text);
            return false;
        }
        constdb_close(l->map);
        l->map = map;
    }
    l->known = true; // one that became unreadable keeps what it had
    return true;
}

enum list_found
shelf_list_find(struct shelf *s, enum list_id list, struct str key,
                struct str *value)
{
    const struct shelf_list *l = &s->lists[list];

    *value = STR_EMPTY;
    if (!l->named)
        return LIST_NO;
    if (l->asked)
        return LIST_ASK;
    if (l->map == NULL)
        return LIST_TROUBLE;
    return constdb_find(l->map, key, value) ? LIST_YES : LIST_NO;
}

bool
shelf_listed(void *shelf, struct str key)
{
    struct str value;
    return shelf_list_find(shelf, LIST_VALIDRCPTTO, key, &value) != LIST_NO;
}

/* ---- lists that are asked for ------------------------------------------ */

void
shelf_list_cancel(struct shelf_question *q)
{
    if (q == NULL)
        return;
    if (q->prev != NULL)
        q->prev->next = q->next;
    else
        q->shelf->open = q->next;
    if (q->next != NULL)
        q->next->prev = q->prev;
    else
        q->shelf->last = q->prev;
    arena_fini(&q->arena);
    free(q);
}

/* The question ends before its asker hears of it: it may ask anew. */
static void
answer(struct shelf_question *q, enum list_found found, uint32_t key,
       struct str value)
{
    struct arena keys = q->arena;
    struct str which = found == LIST_YES ? q->keys[key] : STR_EMPTY;
    shelf_list_fn fn = q->fn;
    void *ctx = q->ctx;

    q->arena = (struct arena){0};
    shelf_list_cancel(q);
    fn(ctx, found, which, value);
    arena_fini(&keys);
}

/* Answers may open new questions: those find no channel and are not listed. */
static void
detach_lookups(struct shelf *s)
{
    channel_free(s->lookups);
    s->lookups = NULL;
    while (s->open != NULL)
        answer(s->open, LIST_TROUBLE, 0, STR_EMPTY);
}

/* false: it makes no sense. */
static bool
take_answer(struct shelf *s, const struct lookup_msg *m)
{
    struct shelf_question *q = s->open; // most often answers come in order

    while (q != NULL && q->seq != m->seq)
        q = q->next;
    if (q == NULL)
        return true; // it was cancelled
    if (m->found == LIST_YES && m->key >= q->n_keys)
        return false;
    answer(q, m->found, m->key, m->value);
    return true;
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct shelf *s = ctx;
    struct arena a = {0};
    struct lookup_msg m;

    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 || !lookup_decode(&a, frame, &m) || m.type != LOOKUP_ANSWER ||
        !take_answer(s, &m)) {
        log_error("directory sent something that is no answer to a look-up");
        detach_lookups(s);
    }
    arena_fini(&a);
}

static void
on_end(void *ctx)
{
    detach_lookups(ctx);
}

void
shelf_attach_lookups(struct shelf *s, int fd)
{
    detach_lookups(s);
    s->lookups = channel_new(s->loop, fd, on_frame, on_end, s);
}

static void
link_question(struct shelf *s, struct shelf_question *q)
{
    q->prev = s->last;
    if (s->last != NULL)
        s->last->next = q;
    else
        s->open = q;
    s->last = q;
}

struct shelf_question *
shelf_list_ask(struct shelf *s, enum list_id list, const struct str *keys,
               size_t n, shelf_list_fn fn, void *ctx)
{
    if (s->lookups == NULL)
        return NULL;
    struct shelf_question *q = alloc_zero(sizeof *q);
    q->shelf = s;
    q->seq = ++s->seq;
    q->fn = fn;
    q->ctx = ctx;
    q->n_keys = n;
    q->keys = arena_array(&q->arena, n, sizeof *q->keys);
    for (size_t i = 0; i < n; i++)
        q->keys[i] = arena_dup(&q->arena, keys[i]);
    link_question(s, q);
    buf_clear(&s->frame);
    lookup_encode(&s->frame, &(struct lookup_msg){.type = LOOKUP_ASK,
                                                  .seq = q->seq,
                                                  .list = list,
                                                  .keys = q->keys,
                                                  .n_keys = n});
    channel_send(s->lookups, buf_str(&s->frame));
    return q;
}

void
shelf_lists_fini(struct shelf *s)
{
    channel_free(s->lookups);
    while (s->open != NULL)
        shelf_list_cancel(s->open);
    for (size_t i = 0; i < LIST_COUNT; i++)
        constdb_close(s->lists[i].map);
    buf_fini(&s->frame);
}
