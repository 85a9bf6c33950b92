/* SPDX-License-Identifier: ISC */
/*
 * The event loop of a process: readiness, timers, signals, a thread pool for
 * blocking work, and "end of turn", the moment before the loop would sleep, at
 * which everything that was gathered is sent in one go. The only place that
 * reads a clock.
 *
 * Callbacks run on the loop's thread, one at a time. Nothing here may be freed
 * twice; freeing a watch or timer inside its own callback is allowed.
 *
 *     struct loop *l = loop_new();
 *     struct watch *w = watch_new(l, fd, on_ready, session);
 *     watch_want(w, LOOP_READ);
 *     loop_run(l);                         // until loop_stop()
 */
#pragma once

#include <stdbool.h>

#include "base/task.h"
#include "base/time.h"

struct loop;
struct watch;
struct timer;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void (*loop_fn)(void *ctx);
typedef void (*watch_fn)(void *ctx, unsigned ready); /* LOOP_READ | _WRITE */

struct loop *loop_new(void);
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* After loop_run() has returned. Waits for tasks under way (their done() is
 * called) and frees watches and timers that are left. */
void loop_free(struct loop *l);

/* The time at which this turn began; cheap. */
struct instant loop_now(const struct loop *l);

/* Called once each turn before the loop sleeps, in order of registration. It
 * may start watches, timers and tasks and call loop_again(). */
void loop_at_turn_end(struct loop *l, loop_fn fn, void *ctx);

/* The same behind all steps of the turn, right before what was gathered leaves:
 * for who only hands on what the others said. */
void loop_at_flush(struct loop *l, loop_fn fn, void *ctx);

/* The next turn does not sleep: there is more to do. */
void loop_again(struct loop *l);

enum loop_signal { LOOP_CHILD_ENDED = 0, LOOP_RELOAD, LOOP_TERMINATE };

/* The handler runs on the loop, never as a signal handler. TERMINATE: SIGTERM
 * or SIGINT. */
void loop_on_signal(struct loop *l, enum loop_signal which, loop_fn fn,
                    void *ctx);

/* Readiness of one descriptor, which stays the caller's. An error or hang-up
 * of the peer reports every direction that is wanted. */
struct watch *watch_new(struct loop *l, int fd, watch_fn fn, void *ctx);
void watch_want(struct watch *w, unsigned events); /* costs nothing if same */
void watch_free(struct watch *w); /* before the descriptor is closed */

/* One deadline, in loop_now().mono_ms; setting it again moves it. */
struct timer *timer_new(struct loop *l, loop_fn fn, void *ctx);
void timer_set(struct timer *t, int64_t mono_ms);
void timer_clear(struct timer *t);
void timer_free(struct timer *t);

/* The pool: LANE_SYNC tasks start at once (their number is bounded by one a
 * segment), the other lanes leave one thread free for them. */
struct executor loop_executor(struct loop *l);
