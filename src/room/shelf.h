/* SPDX-License-Identifier: ISC */
/*
 * Where a room keeps its copy of the address book: the snapshot that directory
 * passed, mapped, and the changes since. It reads the pipe PIPE_BOOK, takes
 * over what comes and acknowledges once a turn.
 *
 *     s->shelf = shelf_new(room->loop, NULL, NULL);
 *     ... on_peer, PIPE_BOOK:  shelf_attach(s->shelf, fd);
 *     struct book b = {.find = shelf_find, .ctx = s->shelf, ...};
 *     if (!shelf_ready(s->shelf)) ...  // 451: nobody is known yet
 *
 * The admin's lists that are files come the same way, each by its name.
 *
 * When directory dies its last book and lists stay in use until the next come.
 */
#pragma once

#include "base/str.h"
#include "book/lists.h"
#include "conf/conf.h"
#include "os/loop.h"

struct shelf;

/* on_change (may be NULL) is called when the book or a list has become another:
 * at the first snapshot too. */
struct shelf *shelf_new(struct loop *l, loop_fn on_change, void *ctx);

/* Takes fd, the pipe to a directory process; it replaces the earlier one. */
void shelf_attach(struct shelf *s, int fd);

/* Has a snapshot come yet? */
bool shelf_ready(const struct shelf *s);

/* book_find_fn over a struct shelf; the value lives until the loop turns. */
bool shelf_find(void *shelf, struct str key, struct str *value);

/* The lists of that config are to be looked into here; without this call there
 * are none. */
void shelf_expect_lists(struct shelf *s, const struct conf *c);

/* Takes fd, a pipe to directory for questions; it replaces the earlier one. */
void shelf_attach_lookups(struct shelf *s, int fd);

/* Has directory said of each list that is a file what is with it? Nobody is let
 * in before. */
bool shelf_lists_known(const struct shelf *s);

/* Is there a list among them that directory is asked for? */
bool shelf_asks(const struct shelf *s);

/* Is that key in this list? value: what stands behind it in the list, often
 * empty; it lives until the loop turns. A list that the config does not name
 * says NO, one that could not be read yet TROUBLE. */
enum list_found shelf_list_find(struct shelf *s, enum list_id list,
                                struct str key, struct str *value);

/* `listed` of struct book over a struct shelf: of validrcptto, addresses only,
 * since "@domain" names nobody. */
bool shelf_listed(void *shelf, struct str key);

/* found: NO, YES (with the key that was there) or TROUBLE. */
typedef void (*shelf_list_fn)(void *ctx, enum list_found found, struct str key,
                              struct str value);

/* For lists that answer LIST_ASK: the first of these keys that is there, asked
 * of directory. Exactly one answer, from the loop, unless it is cancelled; a
 * directory that goes away answers TROUBLE. NULL: it is away, no answer comes.
 */
struct shelf_question;
struct shelf_question *shelf_list_ask(struct shelf *s, enum list_id list,
                                      const struct str *keys, size_t n,
                                      shelf_list_fn fn, void *ctx);
void shelf_list_cancel(struct shelf_question *q);

/* After loop_run() has returned. */
void shelf_free(struct shelf *s);
