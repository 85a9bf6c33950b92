/* SPDX-License-Identifier: ISC */
#include "room/shelf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/log.h"
#include "room/shelf_internal.h"

/* What a key means since `version`; n 0: it is gone. */
struct change {
    uint64_t version;
    size_t n;
    char value[];
};

static void
acknowledge(void *ctx)
{
    struct shelf *s = ctx;
    struct buf frame = {0};

    if (s->channel == NULL || s->told == s->version)
        return;
    s->told = s->version;
    book_msg_encode(
        &frame, &(struct book_msg){.type = BOOK_ACK, .version = s->version});
    channel_send(s->channel, buf_str(&frame));
    buf_fini(&frame);
}

struct shelf *
shelf_new(struct loop *l, loop_fn on_change, void *ctx)
{
    struct shelf *s = alloc_zero(sizeof *s);
    s->loop = l;
    s->on_change = on_change;
    s->ctx = ctx;
    loop_at_turn_end(l, acknowledge, s);
    return s;
}

static void
detach(struct shelf *s)
{
    channel_free(s->channel);
    s->channel = NULL;
}

/* A list that comes with an older version than the book is in force, too. */
static void
note_version(struct shelf *s, uint64_t version)
{
    if (version > s->version)
        s->version = version;
}

/* Changes up to `version` are in the snapshot; all of them are when it is the
 * first of a directory process, which counts from anew. */
static void
forget_changes(struct shelf *s, uint64_t version)
{
    struct str key;
    void *value;

    for (size_t i = 0; map_next(&s->changes, &i, &key, &value);) {
        struct change *c = value;
        if (s->fresh || c->version <= version)
            free(map_remove(&s->changes, key));
    }
}

static void
take_snapshot(struct shelf *s, uint64_t version, int fd)
{
    struct err e;
    struct constdb *base = constdb_open(fd, &e);

    if (base == NULL) {
        log_error(e.text);
        detach(s);
        return;
    }
    forget_changes(s, version);
    constdb_close(s->base);
    s->base = base;
    note_version(s, version); // changes since may be in force already
    s->fresh = false;
    if (s->on_change != NULL)
        s->on_change(s->ctx);
}

static void
take_change(struct shelf *s, const struct book_msg *m)
{
    struct change *c = alloc_zero(sizeof *c + m->value.n);

    c->version = m->version;
    c->n = m->value.n;
    if (c->n > 0)
        memcpy(c->value, m->value.p, c->n);
    free(map_put(&s->changes, m->key, c));
    note_version(s, m->version);
    if (s->on_change != NULL)
        s->on_change(s->ctx);
}

static void
take_list(struct shelf *s, const struct book_msg *m, int fd)
{
    if (!shelf_take_list(s, m, fd)) {
        detach(s);
        return;
    }
    note_version(s, m->version);
    if (s->on_change != NULL)
        s->on_change(s->ctx);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct shelf *s = ctx;
    struct book_msg m;
    bool ok = book_msg_decode(frame, &m);

    if (ok && m.type == BOOK_SNAPSHOT && fd >= 0) {
        take_snapshot(s, m.version, fd);
    } else if (ok && m.type == BOOK_CHANGE && !s->fresh) {
        take_change(s, &m);
    } else if (ok && m.type == BOOK_LIST) {
        take_list(s, &m, fd);
    } else {
        log_error("directory speaks out of turn on the book pipe");
        detach(s);
    }
    if (fd >= 0)
        (void)close(fd);
}

static void
on_end(void *ctx)
{
    detach(ctx);
}

void
shelf_attach(struct shelf *s, int fd)
{
    detach(s);
    s->fresh = true;
    s->told = 0;
    s->version = 0;
    s->channel = channel_new(s->loop, fd, on_frame, on_end, s);
}

bool
shelf_ready(const struct shelf *s)
{
    return s->base != NULL;
}

bool
shelf_find(void *shelf, struct str key, struct str *value)
{
    const struct shelf *s = shelf;
    const struct change *c = map_get(&s->changes, key);

    if (c != NULL) {
        *value = str_from_n(c->value, c->n);
        return c->n > 0;
    }
    return s->base != NULL && constdb_find(s->base, key, value);
}

void
shelf_free(struct shelf *s)
{
    struct str key;
    void *value;

    if (s == NULL)
        return;
    detach(s);
    for (size_t i = 0; map_next(&s->changes, &i, &key, &value);)
        free(value);
    map_fini(&s->changes);
    shelf_lists_fini(s);
    constdb_close(s->base);
    free(s);
}
