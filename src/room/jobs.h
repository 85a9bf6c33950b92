/* SPDX-License-Identifier: ISC */
/*
 * A worker's end of PIPE_JOB, for send and mailbox: work that comes in, the
 * descriptors it is read from, outcomes that go out, and everything that has
 * to be remembered so that the queue may die and come back without a message
 * being delivered twice (ipc/job.h has the frames).
 *
 *     m->jobs = jobs_new(room, on_work, m);
 *     ... on_peer, PIPE_JOB:  jobs_attach(m->jobs, fd);
 *     ... on_work(m, w):      read w->msg.at from w->segment_fd, deliver,
 *                             fill w->msg.rcpts[i].verdict, then
 *     jobs_done(m->jobs, w);                       // now or much later
 *     ... on_drain:           jobs_drain(m->jobs);
 *
 * A verdict left at OUTCOME_NONE gives that recipient back untried.
 */
#pragma once

#include "ipc/job.h"
#include "room/room.h"

struct jobs;

/* One job in hand. */
struct work {
    struct work *prev, *next; /* private to jobs.c */
    struct jobs_segment *segment;
    struct arena arena;
    struct job_msg msg; /* the WORK frame; slices live in the arena */
    int segment_fd;     /* both read-only, open until jobs_done(); */
    int large_fd;       /* -1 where msg.at.large is 0 */
    bool repeated;      /* may have been delivered before, as far as we know:
                           tried before, or older than this queue or we */
    void *ctx;          /* the room's own */
};

typedef void (*jobs_work_fn)(void *ctx, struct work *w);

/* on_work is called from the loop, never from inside the calls below. */
struct jobs *jobs_new(struct room *r, jobs_work_fn on_work, void *ctx);
void jobs_free(struct jobs *j);

/* Takes fd, the pipe to a queue process; it replaces the earlier one. */
void jobs_attach(struct jobs *j, int fd);

/* Reports the verdicts; w is gone. */
void jobs_done(struct jobs *j, struct work *w);

size_t jobs_in_hand(const struct jobs *j);

/* Take no more; when all is reported and the queue has it, the room finishes.
 * The room itself decides what it still tries of what it has. */
void jobs_drain(struct jobs *j);
bool jobs_draining(const struct jobs *j);
