/* SPDX-License-Identifier: ISC */
/*
 * The control socket `<state>/run/queue`, for the command line: one JSON
 * object a line, answered by one line for each message that matches and one
 * that ends the answer.
 *
 *     {"verb":"list","from":"a@b","to":…,"domain":…,"id":…}
 *  -> {"id":"2b-9Xk","sender":…,"recipients":[…],…} …
 *  -> {"done":true,"matched":1}
 *     anything else -> {"error":"…"}
 *
 * Verbs: list, show, retry, remove. Answers are made as fast as they are read,
 * message by message, so a long queue needs no memory.
 */
#pragma once

#include "os/loop.h"
#include "queue/schedule.h"
#include "room/diary.h"

struct desk;

struct desk *desk_new(struct loop *l, struct spool_store *store,
                      struct schedule *s, struct diary *diary);
/* Takes the listening socket; it replaces an earlier one. */
void desk_listen(struct desk *c, int listener);
