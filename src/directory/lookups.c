/* SPDX-License-Identifier: ISC */
#include "directory/lookups.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "directory/table.h"
#include "ipc/lookup.h"
#include "os/channel.h"
#include "os/log.h"

enum { KEYS_MAX = 256 };

/* A receive process; lives as long as a question of its needs it. */
struct asker {
    struct asker *next, **back; /* of those with a channel */
    struct lookups *all;
    struct channel *channel; /* NULL: gone */
    size_t in_hand;
};

struct question {
    struct lookup lookup; /* first */
    struct asker *asker;
    uint64_t seq;
    struct arena arena;
};

struct lookups {
    struct loop *loop;
    struct table *tables[LIST_COUNT]; /* NULL: not in a database */
    struct buf sources[LIST_COUNT];
    struct asker *askers;
};

static void
free_asker(struct asker *a)
{
    if (a->channel == NULL && a->in_hand == 0)
        free(a);
}

static void
answer(struct asker *a, uint64_t seq, enum list_found found, uint32_t key,
       struct str value)
{
    struct buf frame = {0};

    if (a->channel == NULL)
        return;
    lookup_encode(&frame, &(struct lookup_msg){.type = LOOKUP_ANSWER,
                                               .seq = seq,
                                               .found = found,
                                               .key = key,
                                               .value = value});
    channel_send(a->channel, buf_str(&frame));
    buf_fini(&frame);
}

static void
on_answer(struct lookup *lookup, enum list_found found, uint32_t key,
          struct str value)
{
    enum { VALUE_MAX = 1000 }; // it is for one line of a log or a report
    struct question *q = (struct question *)lookup;

    if (found == LIST_YES)
        answer(q->asker, q->seq, found, key, str_first(value, VALUE_MAX));
    else
        answer(q->asker, q->seq, found, 0, STR_EMPTY);
    q->asker->in_hand--;
    free_asker(q->asker);
    buf_fini(&lookup->value);
    arena_fini(&q->arena);
    free(q);
}

static void
ask(struct asker *a, const struct lookup_msg *m)
{
    struct table *t = a->all->tables[m->list];

    if (t == NULL || m->n_keys == 0 || m->n_keys > KEYS_MAX) {
        answer(a, m->seq, LIST_TROUBLE, 0, STR_EMPTY);
        return;
    }
    struct question *q = alloc_zero(sizeof *q);
    q->asker = a;
    a->in_hand++;
    q->seq = m->seq;
    q->lookup.answer = on_answer;
    q->lookup.n_keys = (uint32_t)m->n_keys;
    q->lookup.keys = arena_array(&q->arena, m->n_keys, sizeof *q->lookup.keys);
    for (size_t i = 0; i < m->n_keys; i++)
        q->lookup.keys[i] = arena_cstr(&q->arena, m->keys[i]);
    table_ask(t, &q->lookup);
}

static void
end_asker(struct asker *a)
{
    *a->back = a->next;
    if (a->next != NULL)
        a->next->back = a->back;
    channel_free(a->channel);
    a->channel = NULL;
    free_asker(a);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct asker *a = ctx;
    struct arena scratch = {0};
    struct lookup_msg m;

    if (fd >= 0)
        (void)close(fd);
    if (fd < 0 && lookup_decode(&scratch, frame, &m) && m.type == LOOKUP_ASK) {
        ask(a, &m);
    } else {
        log_error("receive sent something else than a look-up");
        end_asker(a);
    }
    arena_fini(&scratch);
}

static void
on_end(void *ctx)
{
    end_asker(ctx);
}

void
lookups_attach(struct lookups *s, int fd)
{
    struct asker *a = alloc_zero(sizeof *a);

    a->all = s;
    a->next = s->askers;
    a->back = &s->askers;
    if (a->next != NULL)
        a->next->back = &a->next;
    s->askers = a;
    a->channel = channel_new(s->loop, fd, on_frame, on_end, a);
}

void
lookups_configure(struct lookups *s, const struct conf *conf)
{
    struct conf_list wanted[LIST_COUNT];
    struct value_source source;
    size_t n = 0;

    while (n < LIST_COUNT && conf_list_at(conf, n, &wanted[n]))
        n++;
    for (unsigned i = 0; i < LIST_COUNT; i++) {
        struct str text = STR_EMPTY;
        for (size_t j = 0; j < n; j++)
            if (wanted[j].id == i && value_source(wanted[j].source, &source) &&
                source.kind != SOURCE_FILE)
                text = wanted[j].source;
        if (str_eq(text, buf_str(&s->sources[i])))
            continue;
        table_close(s->tables[i]);
        s->tables[i] = NULL;
        buf_clear(&s->sources[i]);
        buf_add(&s->sources[i], text);
        if (value_source(text, &source))
            s->tables[i] = table_open(s->loop, (enum list_id)i, &source);
    }
}

/* What came in this turn goes to the databases. */
static void
on_turn_end(void *ctx)
{
    struct lookups *s = ctx;

    for (size_t i = 0; i < LIST_COUNT; i++)
        table_flush(s->tables[i]);
}

struct lookups *
lookups_new(struct loop *l)
{
    struct lookups *s = alloc_zero(sizeof *s);
    s->loop = l;
    loop_at_turn_end(l, on_turn_end, s);
    return s;
}

void
lookups_free(struct lookups *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < LIST_COUNT; i++) {
        table_close(s->tables[i]);
        buf_fini(&s->sources[i]);
    }
    while (s->askers != NULL)
        end_asker(s->askers);
    free(s);
}
