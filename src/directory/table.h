/* SPDX-License-Identifier: ISC */
/*
 * A list of the admin's that is kept in a database: one table, one query, many
 * questions. SQLite is asked on a thread of the pool, PostgreSQL over its own
 * connection on our loop; neither ever keeps the loop waiting.
 *
 * A row says that the key is on the list; its second column, if it has one, is
 * the remark. What cannot be asked answers LIST_TROUBLE, and the log says why,
 * once, until it is well again.
 */
#pragma once

#include "base/err.h"
#include "book/lists.h"
#include "conf/value.h"
#include "os/loop.h"

/* A question; the table's from table_ask() until it calls answer, once. */
struct lookup {
    struct lookup *next; /* the table's */
    const char **keys;   /* NUL-terminated, at least one */
    uint32_t n_keys;
    /* key, value: YES; value lives until the callback returns. */
    void (*answer)(struct lookup *q, enum list_found found, uint32_t key,
                   struct str value);

    /* What the table has found out so far. */
    uint32_t at; /* keys asked */
    enum list_found found;
    uint32_t key;
    struct buf value;
};

enum { TABLE_WAITING_MAX = 4096 }; /* more answer TROUBLE at once */

struct table;

/* Source: sqlite or postgres, copied. */
struct table *table_open(struct loop *l, enum list_id list,
                         const struct value_source *source);
/* Open questions are answered TROUBLE, before it returns or later. */
void table_close(struct table *t);
/* Asked at the next table_flush(), with all others of the turn: a group of
 * questions costs one way to the database, and one back. */
void table_ask(struct table *t, struct lookup *q);
void table_flush(struct table *t);
