/* SPDX-License-Identifier: ISC */
#include "queue/expand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A message with three recipients: 0 an alias, 1 a person, 2 what alias 0
 * has led to. */
static struct spool_rcpt rcpts[3];
static struct arena arena;

static int
setup(void **state)
{
    (void)state;
    rcpts[0] = (struct spool_rcpt){.index = 0, .address = STR("all@a.example")};
    rcpts[1] = (struct spool_rcpt){
        .index = 1, .address = STR("Ann@a.example"), .parent = 1};
    rcpts[2] = (struct spool_rcpt){
        .index = 2, .address = STR("team@a.example"), .parent = 0};
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void
new_ones(void **state)
{
    static const struct {
        const char *name;
        const char *targets[4];
        enum expand_result result;
        const char *kept[4];
    } cases[] = {
        {"all new",
         {"x@b.example", "y@b.example"},
         EXPAND_OK,                                                                      {"x@b.example", "y@b.example"}},
        {"one is there, in another case",
         {"ann@A.example", "y@b.example"},
         EXPAND_OK,                                                                      {"y@b.example"}               },
        {"twice the same",
         {"y@b.example", "Y@B.example"},
         EXPAND_OK,                                                                      {"y@b.example"}               },
        {"all there",                            {"ann@a.example"},  EXPAND_NOTHING_NEW, {NULL}                        },
        {"itself and a new one",
         {"team@a.example", "y@b.example"},
         EXPAND_OK,                                                                      {"y@b.example"}               },
        {"only itself",                          {"team@a.example"}, EXPAND_LOOP,        {NULL}                        },
        {"only its ancestor",                    {"all@a.example"},  EXPAND_LOOP,        {NULL}                        },
        {"its ancestor and somebody who has it",
         {"all@a.example", "ann@a.example"},
         EXPAND_NOTHING_NEW,                                                             {NULL}                        },
        {"nobody",                               {NULL},             EXPAND_LOOP,        {NULL}                        },
        {"no address",                           {"broken"},         EXPAND_OK,          {"broken"}                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expand x;
        struct str targets[4];
        size_t n = 0;
        while (cases[i].targets[n] != NULL) {
            targets[n] = str_from(cases[i].targets[n]);
            n++;
        }
        expand_init(&x, &arena, rcpts, 3);
        if (expand_targets(&x, 2, targets, &n) != cases[i].result)
            fail_msg("%s: wrong result", cases[i].name);
        size_t k = 0;
        for (; k < n; k++)
            if (cases[i].kept[k] == NULL ||
                !str_eq(targets[k], str_from(cases[i].kept[k])))
                fail_msg("%s: kept %.*s", cases[i].name, STR_ARG(targets[k]));
        assert_null(cases[i].kept[k]);
        expand_fini(&x);
    }
}

static void
depth(void **state)
{
    struct expand x;
    uint32_t alias = 2, index;
    unsigned steps = 0;
    (void)state;

    expand_init(&x, &arena, rcpts, 3);
    for (index = 3; index < 100; index++, steps++) {
        struct str target = arena_printf(&arena, "a%u@a.example", index);
        size_t n = 1;
        enum expand_result r = expand_targets(&x, alias, &target, &n);
        if (r != EXPAND_OK) {
            assert_int_equal(r, EXPAND_TOO_DEEP);
            break;
        }
        expand_added(&x, alias, &target, &index, 1);
        alias = index;
    }
    assert_int_equal(steps, EXPAND_DEPTH - 1); // team is one down already
    expand_fini(&x);
}

/* A record on disk is foreign: parents in a ring must not hang us. */
static void
ring_of_parents(void **state)
{
    struct expand x;
    struct str target = STR("new@a.example");
    size_t n = 1;
    (void)state;
    rcpts[0].parent = 2;
    expand_init(&x, &arena, rcpts, 3);
    assert_int_equal(expand_targets(&x, 2, &target, &n), EXPAND_TOO_DEEP);
    expand_fini(&x);
}

/* An alias of which the message knows nothing leads nowhere; a recipient that
 * was written twice is found by both its places. */
static void
odd_messages(void **state)
{
    struct expand x;
    struct str target = STR("new@a.example");
    size_t n = 1;
    (void)state;
    rcpts[1].address = STR("TEAM@a.example");
    expand_init(&x, &arena, rcpts, 3);
    assert_int_equal(expand_targets(&x, 9, &target, &n), EXPAND_LOOP);
    target = STR("team@a.example"); // by the place that alias 0 did not make
    assert_int_equal(expand_targets(&x, 2, &target, &n), EXPAND_NOTHING_NEW);
    expand_fini(&x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(new_ones, setup),
        cmocka_unit_test_setup(depth, setup),
        cmocka_unit_test_setup(ring_of_parents, setup),
        cmocka_unit_test_setup(odd_messages, setup),
    };
    return cmocka_run_group_tests_name("queue/expand", tests, NULL, teardown);
}
