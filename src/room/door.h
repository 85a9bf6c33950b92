/* SPDX-License-Identifier: ISC */
/*
 * The writer's end of PIPE_DOOR, in receive and notify: joins the pipe to the
 * queue with the door of the spool. The writer uses the spool's own calls
 * (spool/spool.h) on door_spool(); segments, large files, watermarks and
 * pressure are taken care of here, and so is a queue that was started anew.
 *
 *     d = door_new(room, body_memory, on_better, ctx);
 *     ... on_peer, PIPE_DOOR: door_attach(d, fd);
 *     m = spool_begin(door_spool(d), &envelope, &why); ...
 *
 * spool_turn() is called at the end of each loop turn. While the queue is
 * away the writer goes on with what it has, then spool_begin() says FULL.
 */
#pragma once

#include "room/room.h"
#include "spool/spool.h"

struct door;

/* body_memory: octets of content kept in memory; beyond: large files.
 * on_better (may be NULL): who was parked may go on, or spool_begin() may now
 * say something else than before. */
struct door *door_new(struct room *r, size_t body_memory, loop_fn on_better,
                      void *ctx);
/* After loop_free(): no task of it runs. */
void door_free(struct door *d);

/* Takes ownership of fd, a pipe to a queue; an earlier one is closed. */
void door_attach(struct door *d, int fd);

struct spool_door *door_spool(struct door *d);

/* A segment has come, or the queue said that there is no room: from now on
 * spool_begin() has an answer that means something. Never false again. */
bool door_opened(const struct door *d);

/* The queue asks for less: replies should come slowly. */
bool door_slow(const struct door *d);

/* Nothing under way, nothing unanswered, all of it told: we may go. */
bool door_idle(const struct door *d);
