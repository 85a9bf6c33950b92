/* SPDX-License-Identifier: ISC */
/*
 * The loop's thread pool with lanes (base/task.h): however many password
 * hashes and large files wait, a sync of the log finds a thread at once.
 * Private to os/loop.c.
 */
#pragma once

#include <uv.h>

#include "base/task.h"

struct pool;

/* Before the first task of the process: sets the number of uv's threads. */
struct pool *pool_new(uv_loop_t *uv);

/* Waits for tasks under way and calls their done(); those that wait for a
 * thread never run. */
void pool_free(struct pool *p);

struct executor pool_executor(struct pool *p);
