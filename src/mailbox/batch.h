/* SPDX-License-Identifier: ISC */
/*
 * From jobs to files: gathers what came in one turn of the loop into groups,
 * lets each be written on a thread, reports what became of it. While some
 * groups wait for the disk the next one grows, so the busier it is, the more
 * messages share one wait.
 */
#pragma once

#include "mailbox/maildir.h"
#include "room/jobs.h"

struct batches;

/* Lives as long as the process. m->root: the descriptor of "/". */
struct batches *batches_new(struct room *r, const struct maildir *m);

/* Set once, before the first job. */
void batches_use(struct batches *d, struct jobs *j);
/* A job (jobs_work_fn): it will be answered. */
void batches_take(void *ctx, struct work *w);

/* What has not been begun goes back untried, now and from now on. */
void batches_stop(struct batches *d);
