/* SPDX-License-Identifier: ISC */
#include "queue/lanes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"

/* Lanes alone: jobs without messages. */
struct world {
    struct lanes lanes;
    struct arena arena;
};

static int
setup(void **state)
{
    struct world *w = alloc_zero(sizeof *w);
    lanes_configure(&w->lanes, CARRIER_SEND,
                    &(struct lanes_limits){
                        .lanes = 0, // a mistake: it means one
                        .lane_window = 50,
                        .destination_window = 2,
                        .waiting_max = 6,
                    });
    assert_int_equal(w->lanes.carriers[CARRIER_SEND].n, 1);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    lanes_fini(&w->lanes);
    arena_fini(&w->arena);
    free(w);
    return 0;
}

static struct destination *
find(struct world *w, const char *name)
{
    return lanes_find(&w->lanes, CARRIER_SEND, str_from(name));
}

static struct sched_job *
wait_for(struct world *w, const char *name, bool suspect)
{
    struct sched_job *j = arena_alloc(&w->arena, sizeof *j);
    *j = (struct sched_job){.destination = find(w, name), .suspect = suspect};
    lanes_wait(&w->lanes, j);
    return j;
}

static bool
is_it(const void *ctx, const struct sched_job *j)
{
    return ctx == j;
}

static struct sched_job *
next(struct world *w, size_t slot)
{
    return lanes_next(&w->lanes, CARRIER_SEND, slot);
}

/* Whoever is taken out of the ring, the others keep their turns. */
static void
taken_back(void **state)
{
    static const char *const names[] = {"a.example", "b.example", "c.example"};
    struct world *w = *state;

    for (size_t gone = 0; gone < 3; gone++) {
        struct sched_job *j[3];
        for (size_t i = 0; i < 3; i++)
            j[i] = wait_for(w, names[i], false);
        assert_ptr_equal(lanes_take_back(&w->lanes, is_it, j[gone]), j[gone]);
        assert_null(lanes_take_back(&w->lanes, is_it, j[gone]));
        j[gone] = wait_for(w, names[gone], false); // behind the others now
        for (size_t i = 0; i < 3; i++)
            if (i != gone)
                assert_ptr_equal(next(w, 0), j[i]);
        assert_ptr_equal(next(w, 0), j[gone]);
        assert_null(next(w, 0));
        for (size_t i = 0; i < 3; i++)
            lanes_back(&w->lanes, j[i]);
    }

    /* One of two: its destination keeps its place. */
    struct sched_job *first = wait_for(w, names[0], false);
    struct sched_job *second = wait_for(w, names[0], false);
    struct sched_job *other = wait_for(w, names[1], false);
    assert_ptr_equal(lanes_take_back(&w->lanes, is_it, first), first);
    assert_ptr_equal(next(w, 0), second);
    assert_ptr_equal(next(w, 0), other);

    /* Suspects can be taken back, too. */
    struct sched_job *bad = wait_for(w, names[2], true);
    struct sched_job *worse = wait_for(w, names[2], true);
    assert_null(lanes_take_back(&w->lanes, is_it, second)); // it is in hand
    assert_ptr_equal(lanes_take_back(&w->lanes, is_it, worse), worse);
    assert_ptr_equal(next(w, 0), bad);
}

/* More workers: a suspect goes with its destination, and still only one of a
 * lane is out at a time. */
static void
suspects_move(void **state)
{
    struct world *w = *state;
    struct sched_job *j[26];
    size_t lanes_used = 0, n = 0;

    for (char c = 'a'; c <= 'z'; c++) {
        char name[] = {c, '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0};
        j[c - 'a'] = wait_for(w, name, true);
    }
    lanes_configure(&w->lanes, CARRIER_SEND,
                    &(struct lanes_limits){4, 50, 2, 6});
    for (size_t slot = 0; slot < 4; slot++) {
        struct sched_job *x = next(w, slot);
        lanes_used += x != NULL;
        assert_null(next(w, slot)); // one is out
        for (; x != NULL; x = next(w, slot), n++) {
            assert_ptr_equal(x->destination->lane, x->lane);
            lanes_back(&w->lanes, x);
        }
    }
    assert_null(next(w, 4)); // no such worker
    assert_int_equal(n, 26);
    assert_true(lanes_used > 1);
    for (size_t i = 0; i < 26; i++)
        lanes_release(&w->lanes, j[i]->destination);
    assert_int_equal(w->lanes.destinations.count, 0);
}

/* A destination is forgotten when nothing of it is left, not before. */
static void
released(void **state)
{
    struct world *w = *state;
    struct destination *d = find(w, "");
    struct sched_job building = {.destination = d};
    struct msgid id;
    uint32_t rcpts[2];

    d->building = &building;
    lanes_release(&w->lanes, d);
    assert_ptr_equal(find(w, ""), d);
    d->building = NULL;
    lanes_park(d, (struct msgid){1, 1}, 0);
    lanes_release(&w->lanes, d);
    assert_ptr_equal(find(w, ""), d);
    assert_int_equal(lanes_unpark(&w->lanes, d, &id, rcpts, 2), 1);
    lanes_release(&w->lanes, d);
    assert_int_equal(w->lanes.destinations.count, 0);
}

/* What is parked comes by message and in pieces, when there is need of it. */
static void
parking(void **state)
{
    struct world *w = *state;
    struct destination *d = find(w, "a.example");
    struct sched_job *j[8];
    struct msgid id;
    uint32_t rcpts[2];

    assert_false(lanes_crowded(&w->lanes, d));
    j[0] = wait_for(w, "a.example", false);
    assert_false(lanes_crowded(&w->lanes, d));
    for (size_t i = 1; i < 6; i++)
        j[i] = wait_for(w, "b.example", false);
    assert_true(lanes_crowded(&w->lanes, d)); // by others' jobs
    assert_false(lanes_crowded(&w->lanes, find(w, "c.example"))); // has none

    for (uint32_t i = 0; i < 3; i++)
        lanes_park(d, (struct msgid){1, 1}, i);
    lanes_park(d, (struct msgid){1, 2}, 0);
    assert_true(lanes_crowded(&w->lanes, d)); // behind these
    assert_int_equal(lanes_unpark(&w->lanes, d, &id, rcpts, 2), 0); // no room
    assert_ptr_equal(lanes_take_back(&w->lanes, is_it, j[5]), j[5]);
    assert_int_equal(lanes_unpark(&w->lanes, d, &id, rcpts, 2), 2);
    assert_int_equal(id.seq, 1);
    assert_int_equal(rcpts[1], 1);
    j[6] = wait_for(w, "a.example", false);
    assert_int_equal(lanes_unpark(&w->lanes, d, &id, rcpts, 2), 0); // enough
    assert_ptr_equal(lanes_take_back(&w->lanes, is_it, j[6]), j[6]);
    assert_int_equal(lanes_unpark(&w->lanes, d, &id, rcpts, 2), 1);
    assert_int_equal(rcpts[0], 2);
    assert_ptr_equal(lanes_take_back(&w->lanes, is_it, j[0]), j[0]);
    assert_int_equal(lanes_unpark(&w->lanes, d, &id, rcpts, 2), 1);
    assert_int_equal(id.seq, 2);
    assert_int_equal(lanes_unpark(&w->lanes, d, &id, rcpts, 2), 0);
    assert_false(lanes_crowded(&w->lanes, d));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(taken_back),
        TEST(suspects_move),
        TEST(released),
        TEST(parking),
    };
    return cmocka_run_group_tests_name("queue/lanes", tests, NULL, NULL);
}
