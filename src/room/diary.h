/* SPDX-License-Identifier: ISC */
/*
 * A room's end of PIPE_JOURNAL: what happened is noted here and goes to the
 * journal in one frame a loop turn. Nobody ever waits for that: what the
 * journal has not written yet is kept, up to DIARY_HELD octets, and told again
 * to the next journal if this one dies; beyond that events are dropped and
 * counted, and the count is the first thing the journal hears when it is back.
 *
 *     diary_note(room->diary, &(struct journal_event){
 *         .kind = JOURNAL_REFUSED, .incident = id, .reason = reason, ...});
 *
 * A diary that is NULL keeps nothing: tests of a room need none.
 */
#pragma once

#include "ipc/journal.h"
#include "os/loop.h"

enum { DIARY_HELD = 4 << 20 };

struct diary;

struct diary *diary_new(struct loop *l);
void diary_free(struct diary *d); /* after loop_run() has returned */

/* Takes fd, the pipe to a journal process; an earlier one is closed. */
void diary_attach(struct diary *d, int fd);

/* Copies what it needs. at_ms 0: now. count 0: once. */
void diary_note(struct diary *d, const struct journal_event *e);

/* The incident, which was noted, has happened again. */
void diary_repeat(struct diary *d, struct str incident);

/* Events that are lost so far, told or not. */
uint64_t diary_dropped(const struct diary *d);
