/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "os/loop.h"

/* Each thing that happens adds a letter. */
struct trace {
    struct loop *loop;
    struct timer *timer, *other;
    struct watch *watch;
    int64_t started, fired;
    int fds[2];
    unsigned turns;
    char text[64];
};

static void
note(struct trace *t, char c)
{
    size_t n = strlen(t->text);
    if (n < sizeof t->text - 1)
        t->text[n] = c;
}

static void
on_stop(void *ctx)
{
    struct trace *t = ctx;
    t->fired = loop_now(t->loop).mono_ms;
    note(t, 's');
    loop_stop(t->loop);
}

static void
on_letter(void *ctx)
{
    note(ctx, 't');
}

static void
timers(void **state)
{
    struct trace t = {.loop = loop_new()};
    (void)state;
    t.timer = timer_new(t.loop, on_stop, &t);
    t.other = timer_new(t.loop, on_letter, &t);
    t.started = loop_now(t.loop).mono_ms;
    timer_set(t.timer, t.started + 5);
    timer_set(t.timer, t.started + 40); // later: the first must not fire
    timer_set(t.other, t.started + 1000);
    timer_set(t.other, t.started + 10); // sooner
    loop_run(t.loop);
    assert_string_equal(t.text, "ts");
    assert_true(t.fired >= t.started + 40);
    assert_true(t.fired < t.started + 2000);

    timer_set(t.other, t.fired + 1);
    timer_clear(t.other);
    timer_set(t.timer, t.fired + 20);
    loop_run(t.loop);
    assert_string_equal(t.text, "tss");
    timer_free(t.timer);
    timer_free(t.other);
    loop_free(t.loop);
}

static void
on_turn_one(void *ctx)
{
    struct trace *t = ctx;
    note(t, '1');
    if (++t->turns == 3)
        loop_stop(t->loop);
    else
        loop_again(t->loop);
}

static void
on_turn_two(void *ctx)
{
    note(ctx, '2');
}

/* Without a timer or a descriptor only loop_again() keeps the turns coming. */
static void
turn_ends(void **state)
{
    struct trace t = {.loop = loop_new()};
    (void)state;
    loop_at_turn_end(t.loop, on_turn_one, &t);
    loop_at_turn_end(t.loop, on_turn_two, &t);
    loop_run(t.loop);
    assert_memory_equal(t.text, "121212", 6);
    loop_free(t.loop);
}

static void
on_ready(void *ctx, unsigned ready)
{
    struct trace *t = ctx;
    char c;
    if (ready & LOOP_WRITE) {
        note(t, 'w');
        assert_int_equal(write(t->fds[1], "x", 1), 1);
        watch_want(t->watch, LOOP_READ);
    }
    if (ready & LOOP_READ) {
        note(t, 'r');
        if (read(t->fds[0], &c, 1) == 0) {
            watch_free(t->watch); // inside its own callback
            loop_stop(t->loop);
        } else {
            (void)close(t->fds[1]);
        }
    }
}

static void
watches(void **state)
{
    struct trace t = {.loop = loop_new()};
    (void)state;
    assert_int_equal(pipe(t.fds), 0);
    t.watch = watch_new(t.loop, t.fds[0], on_ready, &t);
    watch_want(t.watch, LOOP_READ);
    assert_int_equal(write(t.fds[1], "x", 1), 1);
    loop_run(t.loop);
    assert_string_equal(t.text, "rr");
    (void)close(t.fds[0]);
    loop_free(t.loop);
}

static void
signals(void **state)
{
    struct trace t = {.loop = loop_new()};
    (void)state;
    loop_on_signal(t.loop, LOOP_TERMINATE, on_stop, &t);
    (void)kill(getpid(), SIGTERM);
    loop_run(t.loop);
    assert_string_equal(t.text, "s");
    loop_free(t.loop);
}

/* Blocks until the sync has run: it must not need the threads held here. */
struct slow {
    struct task task;
    struct lanes *lanes;
};

struct lanes {
    struct loop *loop;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool synced;
    unsigned done;
    struct slow slow[8];
    struct slow sync;
};

static void
wait_for_sync(struct task *task)
{
    struct lanes *l = ((struct slow *)task)->lanes;
    (void)pthread_mutex_lock(&l->mutex);
    while (!l->synced)
        (void)pthread_cond_wait(&l->changed, &l->mutex);
    (void)pthread_mutex_unlock(&l->mutex);
}

static void
run_sync(struct task *task)
{
    struct lanes *l = ((struct slow *)task)->lanes;
    (void)pthread_mutex_lock(&l->mutex);
    l->synced = true;
    (void)pthread_cond_broadcast(&l->changed);
    (void)pthread_mutex_unlock(&l->mutex);
}

static void
count_done(struct task *task)
{
    struct lanes *l = ((struct slow *)task)->lanes;
    if (++l->done == 9)
        loop_stop(l->loop);
}

static void
lanes(void **state)
{
    struct lanes l = {.loop = loop_new()};
    struct executor e = loop_executor(l.loop);
    (void)state;
    (void)pthread_mutex_init(&l.mutex, NULL);
    (void)pthread_cond_init(&l.changed, NULL);
    for (size_t i = 0; i < 8; i++) {
        l.slow[i] = (struct slow){
            {wait_for_sync, count_done},
            &l
        };
        e.submit(e.ctx, i % 2 ? LANE_HASH : LANE_FILE, &l.slow[i].task);
    }
    l.sync = (struct slow){
        {run_sync, count_done},
        &l
    };
    e.submit(e.ctx, LANE_SYNC, &l.sync.task);
    (void)alarm(30);
    loop_run(l.loop);
    (void)alarm(0);
    assert_int_equal(l.done, 9);
    loop_free(l.loop);
}

static void
stop_when_done(struct task *task)
{
    loop_stop(((struct slow *)task)->lanes->loop);
}

static void
submit_late(void *ctx)
{
    struct lanes *l = ctx;
    struct executor e = loop_executor(l->loop);
    if (!l->synced)
        e.submit(e.ctx, LANE_FILE, &l->sync.task);
}

/* The loop sleeps already, with nothing else to wake it. */
static void
late_task(void **state)
{
    struct lanes l = {.loop = loop_new()};
    (void)state;
    (void)pthread_mutex_init(&l.mutex, NULL);
    (void)pthread_cond_init(&l.changed, NULL);
    l.sync = (struct slow){
        {run_sync, stop_when_done},
        &l
    };
    struct timer *t = timer_new(l.loop, submit_late, &l);
    timer_set(t, loop_now(l.loop).mono_ms + 10);
    (void)alarm(30);
    loop_run(l.loop);
    (void)alarm(0);
    loop_free(l.loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers),  cmocka_unit_test(turn_ends),
        cmocka_unit_test(watches), cmocka_unit_test(signals),
        cmocka_unit_test(lanes),   cmocka_unit_test(late_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
