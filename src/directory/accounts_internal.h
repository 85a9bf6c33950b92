/* SPDX-License-Identifier: ISC */
/*
 * SQLite in the shape of the accounts files: one statement is
 *
 *     struct query q;
 *     if (!query_begin(&q, a, "SELECT x FROM t WHERE y = ?1", e))
 *         return ACCOUNTS_TROUBLE;
 *     query_text(&q, 1, y);
 *     while (query_step(&q, e) == QUERY_ROW) ... query_column(&q, 0) ...
 *     return query_end(&q);
 */
#pragma once

#include <sqlite3.h>

#include "directory/accounts.h"

struct accounts {
    sqlite3 *db;
};

enum query_result {
    QUERY_DONE = 0,
    QUERY_ROW,
    QUERY_CLASH, /* a constraint: it exists, or what it refers to does not */
    QUERY_FAILED,
};

struct query {
    struct accounts *a;
    sqlite3_stmt *statement;
    enum query_result last;
};

bool query_begin(struct query *q, struct accounts *a, const char *sql,
                 struct err *e) MUST_USE;
/* Bound text is borrowed until query_end(). */
void query_text(struct query *q, int at, struct str text);
void query_number(struct query *q, int at, int64_t number);
enum query_result query_step(struct query *q, struct err *e);
/* Columns of a row; text dies at the next step. */
struct str query_column(struct query *q, int at);
int64_t query_column_number(struct query *q, int at);
/* false: the last step failed. */
bool query_end(struct query *q);

/* Runs a statement that returns no row; text may be bound as ?1, ?2. n is the
 * number of rows that changed. */
enum query_result query_run(struct accounts *a, const char *sql,
                            const struct str *text, size_t n_text, size_t *n,
                            struct err *e);
/* The same as a result: MISSING when nothing changed, EXISTS on a clash. */
enum accounts_result query_change(struct accounts *a, const char *sql,
                                  const struct str *text, size_t n_text,
                                  struct err *e);

/* Brings an empty or older database to our schema. */
bool accounts_prepare_schema(struct accounts *a, struct err *e);

/* Behind the last @ of a key. */
struct str accounts_domain_of(struct str key);
