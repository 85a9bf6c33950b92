/* SPDX-License-Identifier: ISC */
/*
 * Questions asked ahead. A client that pipelines has said its next commands
 * already: when the first of them makes the session wait for a list in a
 * database, those of all the others are asked in the same turn, so that a group
 * costs one way to directory and not one a recipient.
 *
 *     conn_consume(s->conn, used);
 *     ahead_passed(s, used);
 *     ...
 *     ahead_step(s);                  // at the end of the step
 *
 * It is a memory of answers and nothing else: facts.c looks here before it asks
 * (ahead_find(), ahead_wait()), so a refusal, RSET or another MAIL in the
 * middle changes at most what was asked for nothing. An answer is forgotten
 * when the commands that it was asked for have been read. How many questions
 * there may be is bounded for a session and for the process. The DNS is not
 * asked ahead: a stranger would have us ask it of hundreds of domains with one
 * packet.
 */
#pragma once

#include "receive/session.h"
#include "room/shelf.h"

struct ahead;

/* So many octets of the input were consumed. */
void ahead_passed(struct session *s, size_t n);

/* Reads ahead if the session waits and nothing was read ahead yet; forgets what
 * is no longer of use. */
void ahead_step(struct session *s);

/* The answer to these keys, if it is there. Its slices live until the next
 * ahead_step(). */
bool ahead_find(struct session *s, enum list_id list, const struct str *keys,
                size_t n, struct gate_answer *answer);

/* The same question is under way: fn is called as by shelf_list_ask(), unless
 * ahead_leave() comes first. false: it is not. */
bool ahead_wait(struct session *s, enum list_id list, const struct str *keys,
                size_t n, shelf_list_fn fn, void *ctx);
/* Nobody waits any more. */
void ahead_leave(struct session *s);

/* All of it goes; questions under way are cancelled. */
void ahead_end(struct session *s);
