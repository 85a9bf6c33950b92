/* SPDX-License-Identifier: ISC */
#include "directory/table_internal.h"

#include <string.h>

#include "os/log.h"

/* "SELECT 1 FROM sender_deny WHERE address = ?" */
static const char *
default_query(struct table *t, const char *parameter)
{
    struct str name = list_name(t->list);
    struct buf b = {0};

    buf_add(&b, STR("SELECT 1 FROM "));
    for (size_t i = 0; i < name.n; i++)
        buf_add_char(&b, name.p[i] == '-' ? '_' : name.p[i]);
    buf_addf(&b, " WHERE address = %s", parameter);
    const char *query = arena_cstr(&t->arena, buf_str(&b));
    buf_fini(&b);
    return query;
}

struct table *
table_open(struct loop *l, enum list_id list, const struct value_source *source)
{
    bool sqlite = source->kind == SOURCE_SQLITE;
    struct table *t = sqlite ? table_sqlite() : table_postgres();

    t->loop = l;
    t->list = list;
    t->place = arena_cstr(&t->arena, source->place);
    t->query = source->query.n > 0 ? arena_cstr(&t->arena, source->query)
                                   : default_query(t, sqlite ? "?" : "$1");
    if (!sqlite)
        table_postgres_begin(t);
    return t;
}

void
table_close(struct table *t)
{
    if (t != NULL)
        t->ops->close(t);
}

void
table_ask(struct table *t, struct lookup *q)
{
    q->next = NULL;
    t->ops->ask(t, q);
}

void
table_flush(struct table *t)
{
    if (t != NULL)
        t->ops->flush(t);
}

void
table_queue_add(struct table_queue *q, struct lookup *l)
{
    if (q->first == NULL)
        q->end = &q->first;
    l->next = NULL;
    *q->end = l;
    q->end = &l->next;
    q->n++;
}

struct lookup *
table_queue_take(struct table_queue *q)
{
    struct lookup *l = q->first;

    if (l == NULL)
        return NULL;
    q->first = l->next;
    q->n--;
    return l;
}

void
table_answer(struct lookup *q)
{
    q->answer(q, q->found, q->key, buf_str(&q->value));
}

void
table_queue_fail(struct table_queue *q)
{
    // An answer may bring a new question: that one is not of these.
    struct table_queue all = *q;
    struct lookup *l;

    *q = (struct table_queue){0};
    while ((l = table_queue_take(&all)) != NULL) {
        l->found = LIST_TROUBLE;
        table_answer(l);
    }
}

void
table_say(struct table *t, const char *why)
{
    struct str text = str_trim(str_from(why));

    if (str_eq(text, str_from(t->why)))
        return;
    size_t n = text.n < sizeof t->why - 1 ? text.n : sizeof t->why - 1;
    memcpy(t->why, text.p, n);
    t->why[n] = '\0';
    if (n > 0)
        log_event(LOG_ERROR, "list-database", LOG_S("list", list_name(t->list)),
                  LOG_S("error", str_from(t->why)), LOG_END);
    else
        log_event(LOG_INFO, "list-database-well",
                  LOG_S("list", list_name(t->list)), LOG_END);
}
