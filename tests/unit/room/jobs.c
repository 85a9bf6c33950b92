/* SPDX-License-Identifier: ISC */
#include "room/jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

/* The worker under test on one side of a pipe, this file as queue on the
 * other; both on one loop that is turned until nothing happens any more. */
static struct room room;
static struct jobs *jobs;
static struct work *hand[16];
static size_t n_hand;
static struct channel *queue;
static bool queue_ended;
static struct arena arena;
static struct job_msg heard[32];
static size_t n_heard;
static bool failed, finished;
static struct timer *limit;

/* Instead of those of room.c. */
void
room_fail(struct room *r, const char *why)
{
    (void)r;
    (void)why;
    failed = true;
}

void
room_finish(struct room *r)
{
    (void)r;
    finished = true;
}

static void
on_work(void *ctx, struct work *w)
{
    (void)ctx;
    hand[n_hand++] = w;
}

static void
on_limit(void *ctx)
{
    loop_stop(ctx);
}

/* Runs the loop for as long as frames take to get over a pipe. */
static void
settle(void)
{
    timer_set(limit, loop_now(room.loop).mono_ms + 20);
    loop_run(room.loop);
}

static void
on_heard(void *ctx, struct str frame, int fd)
{
    (void)ctx;
    assert_int_equal(fd, -1);
    assert_true(job_decode(&arena, arena_dup(&arena, frame), &heard[n_heard]));
    n_heard++;
}

static void
on_queue_end(void *ctx)
{
    (void)ctx;
    queue_ended = true;
}

static void
say(const struct job_msg *m, int fd)
{
    struct buf b = {0};
    job_encode(&b, m);
    if (fd >= 0)
        channel_send_fd(queue, buf_str(&b), fd);
    else
        channel_send(queue, buf_str(&b));
    buf_fini(&b);
}

static void
new_queue(void)
{
    int fds[2];
    channel_free(queue);
    assert_true(channel_pair(fds));
    n_heard = 0;
    queue_ended = false;
    queue = channel_new(room.loop, fds[0], on_heard, on_queue_end, NULL);
    jobs_attach(jobs, fds[1]);
    settle();
    assert_int_equal(heard[0].type, JOB_HELLO);
    assert_int_equal(heard[0].job, n_heard - 1);
}

static int
setup(void **state)
{
    (void)state;
    room = (struct room){.loop = loop_new()};
    limit = timer_new(room.loop, on_limit, room.loop);
    jobs = jobs_new(&room, on_work, NULL);
    n_hand = 0;
    failed = finished = false;
    new_queue();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    jobs_free(jobs);
    channel_free(queue);
    queue = NULL;
    timer_free(limit);
    loop_free(room.loop);
    arena_fini(&arena);
    return 0;
}

static void
give_segment(uint64_t number, uint64_t generation)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    say(&(struct job_msg){.type = JOB_SEGMENT,
                          .segment = number,
                          .generation = generation},
        fds[0]);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void
give_work(uint64_t number, uint64_t segment, uint64_t generation)
{
    struct job_rcpt r = {.index = 3, .address = STR("ann@example.com")};
    struct job_msg m = {.type = JOB_WORK, .job = number, .rcpts = &r};
    m.n_rcpts = 1;
    m.id = (struct msgid){1, number};
    m.at.segment = segment;
    m.at.generation = generation;
    m.arrived_ms = INT64_MAX;
    say(&m, -1);
}

static void
deliver(size_t i)
{
    hand[i]->msg.rcpts[0].verdict.outcome = OUTCOME_DELIVERED;
    jobs_done(jobs, hand[i]);
}

static void
work_and_outcome(void **state)
{
    (void)state;
    give_segment(5, 1);
    give_work(70, 5, 1);
    settle();
    assert_int_equal(n_hand, 1);
    assert_true(hand[0]->segment_fd >= 0);
    assert_int_equal(hand[0]->large_fd, -1);
    assert_false(hand[0]->repeated);
    deliver(0);
    settle();
    assert_int_equal(n_heard, 2);
    assert_int_equal(heard[1].type, JOB_OUTCOMES);
    assert_int_equal(heard[1].job, 70);
    assert_int_equal(heard[1].rcpts[0].index, 3);
    assert_int_equal(heard[1].rcpts[0].verdict.outcome, OUTCOME_DELIVERED);
    assert_int_equal(jobs_in_hand(jobs), 0);
}

static void
a_new_queue_hears_all(void **state)
{
    (void)state;
    give_segment(5, 1);
    for (uint64_t i = 1; i <= 3; i++)
        give_work(i, 5, 1);
    settle();
    deliver(0);
    deliver(1);
    settle();
    say(&(struct job_msg){.type = JOB_TAKEN, .job = 1}, -1);
    settle();

    new_queue(); // 1 is confirmed, 2 is not, 3 is still in hand
    assert_int_equal(n_heard, 3);
    assert_int_equal(heard[1].type, JOB_OUTCOMES);
    assert_int_equal(heard[1].job, 2);
    assert_int_equal(heard[2].type, JOB_RUNNING);
    assert_int_equal(heard[2].job, 3);
    say(&(struct job_msg){.type = JOB_TAKEN, .job = 1}, -1);
    deliver(2);
    settle();

    new_queue();
    assert_int_equal(n_heard, 2);
    assert_int_equal(heard[1].job, 3);
    assert_false(failed);
}

static void
forgetting(void **state)
{
    (void)state;
    give_segment(5, 1);
    give_segment(6, 1);
    give_work(1, 5, 1);
    say(&(struct job_msg){.type = JOB_FORGET, .segment = 6, .generation = 1},
        -1);
    say(&(struct job_msg){.type = JOB_FORGET, .segment = 5, .generation = 1},
        -1);
    settle();
    assert_int_equal(n_heard, 2);
    assert_int_equal(heard[1].segment, 6);
    deliver(0); // only now is nobody reading 5 any more
    settle();
    assert_int_equal(n_heard, 4);
    assert_int_equal(heard[3].type, JOB_FORGOTTEN);
    assert_int_equal(heard[3].segment, 5);
}

static void
generations(void **state)
{
    int first;
    (void)state;
    give_segment(5, 1);
    give_work(1, 5, 1);
    settle();
    first = hand[0]->segment_fd;
    give_segment(5, 2);
    give_work(2, 5, 2);
    settle();
    assert_int_equal(n_hand, 2);
    assert_int_not_equal(hand[1]->segment_fd, first);
    deliver(0);
    give_work(3, 5, 1); // which is no more
    settle();
    assert_int_equal(n_hand, 2);
    assert_true(failed);
}

static void
draining(void **state)
{
    (void)state;
    give_segment(5, 1);
    give_work(1, 5, 1);
    settle();
    jobs_drain(jobs);
    settle();
    assert_int_equal(heard[1].type, JOB_LEAVING);
    deliver(0);
    settle();
    assert_int_equal(heard[2].type, JOB_OUTCOMES);
    assert_false(finished); // the queue has not said that it has it
    channel_free(queue);
    queue = NULL;
    settle();
    assert_true(finished);
}

static void
garbage(void **state)
{
    (void)state;
    channel_send(queue, STR("\xff nonsense"));
    settle();
    assert_true(failed);
}

static void
too_much_taken(void **state)
{
    (void)state;
    say(&(struct job_msg){.type = JOB_TAKEN, .job = 9}, -1);
    settle();
    assert_true(failed);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(work_and_outcome), TEST(a_new_queue_hears_all),
        TEST(forgetting),       TEST(generations),
        TEST(draining),         TEST(garbage),
        TEST(too_much_taken),
    };
    return cmocka_run_group_tests_name("room/jobs", tests, NULL, NULL);
}
