/* SPDX-License-Identifier: ISC */
/*
 * The accounts database as the commands on domains, users, aliases and
 * vacations use it: opened in the state folder of the config (made if need be),
 * with the address book over it. A change is one transaction; a running server
 * has put it in force when cupboard_change() returns.
 *
 *     static int
 *     add(struct cupboard *c, void *ctx) ... return COMMAND_DONE;
 *     static int
 *     run_add(struct invocation *in)
 *     {
 *         return cupboard_change(in, add, NULL);
 *     }
 */
#pragma once

#include <jansson.h>

#include "book/book.h"
#include "cli/command.h"
#include "directory/hosting.h"

struct cupboard {
    struct invocation *in;
    struct conf *conf;
    struct accounts *accounts;
    struct hosting hosting;
    struct book book; /* over the config and the database */
    struct err e;
};

/* Its return value is the exit status; a change is kept only with
 * COMMAND_DONE. */
typedef int (*cupboard_fn)(struct cupboard *c, void *ctx);
int cupboard_read(struct invocation *in, cupboard_fn fn, void *ctx);
int cupboard_change(struct invocation *in, cupboard_fn fn, void *ctx);
/* Reads what is in the domain that the first object names, in all if there is
 * none: fn's ctx is the struct str of it. */
int cupboard_read_domain(struct invocation *in, cupboard_fn fn);

/* The database failed: says why; the exit status. */
int cupboard_trouble(const struct cupboard *c);
/* The exit status for what the database answered about an "account" or "alias";
 * says that there is none. */
int cupboard_status(const struct cupboard *c, enum accounts_result result,
                    const char *noun, struct str key);

/* An address, or a domain, as typed, to its key in the invocation's arena.
 * false: it is none, which was said. */
bool cupboard_address(struct invocation *in, const char *text, struct str *key);
bool cupboard_domain(struct invocation *in, const char *text, struct str *key);

/* COMMAND_DONE, or COMMAND_REFUSED after saying how to have the domain of an
 * address, by its key, hosted. */
int cupboard_need_hosted(struct cupboard *c, struct str key);

/* Milliseconds of the wall clock, and such a moment in RFC 3339's form. */
int64_t cupboard_now_ms(void);
struct str cupboard_date(struct arena *a, int64_t ms);

/* One JSON object on a line of its own; takes over the reference. Texts that
 * may come from foreign keyboards go in by cupboard_json(): not UTF-8 is shown
 * with replacement characters. */
void cupboard_print(json_t *object);
json_t *cupboard_json(struct str text);
