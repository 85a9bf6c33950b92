/* SPDX-License-Identifier: ISC */
/* What both kinds of tables have, and how they begin. */
#pragma once

#include "base/arena.h"
#include "directory/table.h"

struct table_ops {
    void (*ask)(struct table *t, struct lookup *q);
    void (*flush)(struct table *t);
    void (*close)(struct table *t);
};

/* The first member of each kind. */
struct table {
    const struct table_ops *ops;
    struct loop *loop;
    struct arena arena; /* of the texts */
    enum list_id list;
    const char *place, *query;
    char why[400]; /* what is wrong, as said in the log */
};

/* Questions in the order in which they came. */
struct table_queue {
    struct lookup *first, **end; /* end NULL: empty, nothing added yet */
    size_t n;
};

void table_queue_add(struct table_queue *q, struct lookup *l);
struct lookup *table_queue_take(struct table_queue *q); /* NULL: empty */

/* Calls answer with what was found. */
void table_answer(struct lookup *q);
void table_queue_fail(struct table_queue *q); /* all of them: TROUBLE */

/* The log, once for each text. NULL: all is well. */
void table_say(struct table *t, const char *why);

struct table *table_sqlite(void);
struct table *table_postgres(void);
/* After place and query are set. */
void table_postgres_begin(struct table *t);
