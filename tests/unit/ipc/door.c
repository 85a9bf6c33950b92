/* SPDX-License-Identifier: ISC */
#include "ipc/door.h"

#include "frames.h"

static bool
again(struct arena *a, struct str frame, struct buf *out)
{
    struct door_msg m;
    (void)a;
    if (!door_decode(frame, &m))
        return false;
    buf_clear(out);
    door_encode(out, &m);
    return true;
}

static void
each_type(void **state)
{
    struct door_msg cases[] = {
        {.type = DOOR_HELLO},      {.type = DOOR_HOLDING},
        {.type = DOOR_WATERMARK},  {.type = DOOR_SEALED},
        {.type = DOOR_LARGE_FREE}, {.type = DOOR_WRITER},
        {.type = DOOR_SEGMENT},    {.type = DOOR_LARGE},
        {.type = DOOR_PRESSURE},
    };
    cases[0].writer = 7;
    cases[0].size = 2;
    for (size_t i = 1; i <= 3; i++) {
        cases[i].segment = 3;
        cases[i].generation = 9;
        cases[i].offset = 4096;
    }
    cases[1].large = 76;
    cases[4].large = 77;
    cases[5].writer = UINT64_MAX;
    cases[6].segment = 4;
    cases[6].generation = 1;
    cases[6].size = 67108864;
    cases[7].large = 78;
    cases[8].pressure = PRESSURE_FULL;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        struct door_msg m;
        door_encode(&b, &cases[i]);
        frames_check(buf_str(&b), again);
        assert_true(door_decode(buf_str(&b), &m));
        assert_int_equal(m.type, cases[i].type);
        assert_true(m.writer == cases[i].writer);
        assert_true(m.segment == cases[i].segment);
        assert_true(m.generation == cases[i].generation);
        assert_true(m.offset == cases[i].offset);
        assert_true(m.size == cases[i].size);
        assert_true(m.large == cases[i].large);
        assert_int_equal(m.pressure, cases[i].pressure);
        buf_fini(&b);
    }
}

static void
garbage(void **state)
{
    static const struct {
        const char *name;
        struct str frame;
    } cases[] = {
        {"no type",          {"", 0}        },
        {"type none",        {"\0", 1}      },
        {"unknown type",     {"\xff", 1}    },
        {"unknown pressure", {"\x09\x03", 2}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct door_msg m;
        if (door_decode(cases[i].frame, &m))
            fail_msg("taken: %s", cases[i].name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type),
        cmocka_unit_test(garbage),
    };
    return cmocka_run_group_tests_name("ipc/door", tests, NULL, NULL);
}
