/* SPDX-License-Identifier: ISC */
/*
 * The bell at the cupboard: the control socket `<state>/run/directory`, which
 * whoever changed the database rings. One JSON object a line, answered by one
 * line.
 *
 *     {"verb":"sync"}  ->  {"ok":true}   all that is committed is in force
 *     anything else    ->  {"ok":false,"error":"…"}
 */
#pragma once

#include "directory/publisher.h"

struct bell;

/* Takes the listening socket. */
struct bell *bell_new(struct loop *l, struct publisher *p, int listener);
void bell_free(struct bell *b); /* after loop_run() has returned */
