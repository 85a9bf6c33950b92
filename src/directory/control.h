/* SPDX-License-Identifier: ISC */
/*
 * The control socket `<state>/run/directory`, for the command line: one JSON
 * object a line, answered by one line.
 *
 *     {"verb":"sync"}  ->  {"ok":true}   all that is committed is in force
 *     anything else    ->  {"ok":false,"error":"…"}
 */
#pragma once

#include "directory/publisher.h"

struct control;

/* Takes the listening socket. */
struct control *control_new(struct loop *l, struct publisher *p, int listener);
void control_free(struct control *c); /* after loop_run() has returned */
