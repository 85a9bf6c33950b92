/* SPDX-License-Identifier: ISC */
/*
 * A piece of blocking work (a sync, a password hash) and who runs it. The
 * spool and the rooms hand tasks to an executor; in the server that is the
 * loop's thread pool (os/loop.h), in a test a list run in any order.
 *
 *     struct job { struct task task; int fd; int error; };
 *     executor->submit(executor->ctx, LANE_SYNC, &job->task);
 *
 * run() is called on another thread and may touch nothing but its own job;
 * done() is called on the loop afterwards and may free the job.
 */
#pragma once

enum lane {
    LANE_SYNC = 0, /* the log's sync; one lane is always free for it */
    LANE_FILE,     /* large files, Maildirs, filling segments */
    LANE_HASH,     /* password hashes */
};

struct task {
    void (*run)(struct task *);
    void (*done)(struct task *);
};

struct executor {
    void (*submit)(void *ctx, enum lane lane, struct task *task);
    void *ctx;
};
