/* SPDX-License-Identifier: ISC */
/*
 * Publishing the book to receive and queue: the snapshot by descriptor, each
 * change since as a frame, and who has acknowledged what.
 *
 * Versions count what was published in this process. A snapshot's version is
 * that of the last change before it was begun; it may hold later ones too,
 * which is harmless: a change says what a key means now, however often.
 *
 * Lists that are files (directory/lists.h) go the same way and count as
 * changes.
 *
 * Once a second, and at every sync, the database's log of changed keys is read.
 * Few changes go out one by one, many become a new snapshot.
 */
#pragma once

#include "book/lists.h"
#include "directory/hosting.h"
#include "directory/readers.h"
#include "os/loop.h"

struct publisher;

/* on_published: the first snapshot is out; or it could not be made, with why.
 * Accounts (a connection of the loop's own), hosting and path stay the
 * caller's; publisher_reload() changes *hosting. folder is taken over. */
typedef void (*publisher_fn)(void *ctx, const char *why);
struct publisher *publisher_new(struct loop *l, struct accounts *a,
                                struct hosting *hosting, const char *database,
                                int folder, publisher_fn on_published,
                                void *ctx);
void publisher_free(struct publisher *p); /* after loop_run() has returned */

/* Makes the first snapshot. */
void publisher_start(struct publisher *p);

/* Takes fd, the pipe to a reader. It is gone when its turn ends. */
struct reader *publisher_attach(struct publisher *p, int fd);

/* A list that is a file is this one from now on; fd -1: it could not be read
 * yet. Goes to all readers, or to one that is new. */
void publisher_list(struct publisher *p, enum list_id list, int fd);
void publisher_list_again(struct publisher *p, struct reader *r,
                          enum list_id list, int fd);

/* The config's domains are those of conf from now on. */
void publisher_reload(struct publisher *p, const struct conf *conf);

/* w is answered when every change committed by now is in force with all
 * readers; its fn and ctx are set. */
void publisher_sync(struct publisher *p, struct readers_wait *w);
void publisher_cancel(struct publisher *p, struct readers_wait *w);
