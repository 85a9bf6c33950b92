/* SPDX-License-Identifier: ISC */
/*
 * Answers notify: is this account on vacation, and may this sender be told?
 * A yes is in the database before it is given. What was asked while a batch
 * was being written is the next batch, one transaction each, off the loop.
 */
#pragma once

#include "directory/accounts.h"
#include "os/loop.h"

struct away;

/* Takes the connection, which only its tasks use. */
struct away *away_new(struct loop *l, struct accounts *a, loop_fn on_idle,
                      void *ctx);
void away_free(struct away *w); /* after loop_free(): no task runs */

/* Takes fd, the pipe to a notify process. */
void away_attach(struct away *w, int fd);

bool away_idle(const struct away *w);
