/* SPDX-License-Identifier: ISC */
/*
 * Single values of the configuration: what they may look like, how they are
 * read and written. A check returns NULL for a good value, else what was
 * expected instead.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* "30s", "5m", "4h", "5d", "200ms" in milliseconds. */
bool value_duration(struct str text, uint64_t *ms);
void value_add_duration(struct buf *to, uint64_t ms);
/* "1048576", "64K", "64M", "2G" in octets. */
bool value_size(struct str text, uint64_t *octets);
void value_add_size(struct buf *to, uint64_t octets);

/*
 * Where a list is kept: "file:PATH", "sqlite:PATH", "sqlite:PATH?QUERY",
 * "postgres:CONNINFO", "postgres:CONNINFO?QUERY". A query begins with SELECT or
 * WITH, so that a question mark of a connection URI begins none.
 */
enum source_kind {
    SOURCE_NONE = 0,
    SOURCE_FILE,
    SOURCE_SQLITE,
    SOURCE_POSTGRES
};
struct value_source {
    enum source_kind kind;
    struct str place; /* path; connection parameters as libpq takes them */
    struct str query; /* with one parameter; empty: the default */
};
bool value_source(struct str v, struct value_source *s);
const char *value_check_source(struct str v);

const char *value_check_hostname(struct str v);
const char *value_check_address(struct str v);
const char *value_check_listen(struct str v);    /* "*:25", "[::1]:25" */
const char *value_check_network(struct str v);   /* "10.0.0.0/8", "::1" */
const char *value_check_smarthost(struct str v); /* "HOST[:PORT]" */
const char *value_check_resolver(struct str v);  /* "127.0.0.1@5300" */
const char *value_check_deliver(struct str v);   /* "maildir:/..." */
const char *value_check_state(struct str v);     /* a short absolute path */
const char *value_check_reply(struct str v);     /* "553 sorry ..." */

/* How many insertions, deletions and exchanges make b of a; at most `limit`
 * + 1. Both at most 64 octets. */
size_t value_distance(struct str a, struct str b, size_t limit);
