/* SPDX-License-Identifier: ISC */
#include "ipc/control.h"

#include "frames.h"

static bool
again(struct arena *a, struct str frame, struct buf *out)
{
    struct control_msg m;
    (void)a;
    if (!control_decode(frame, &m))
        return false;
    buf_clear(out);
    control_encode(out, &m);
    return true;
}

static void
each_type(void **state)
{
    (void)state;
    for (unsigned type = CONTROL_NONE + 1; type <= CONTROL_RELOADED; type++) {
        struct control_msg in = {.type = (enum control_type)type}, out;
        struct buf b = {0};
        in.pipe = PIPE_JOB;
        in.role = ROLE_MAILBOX;
        in.slot = 3;
        in.incarnation = UINT64_MAX - 1;
        in.name = STR("tls-key");
        control_encode(&b, &in);
        frames_check(buf_str(&b), again);
        assert_true(control_decode(buf_str(&b), &out));
        assert_int_equal(out.type, type);
        if (type == CONTROL_PEER)
            assert_int_equal(out.pipe, PIPE_JOB);
        if (type == CONTROL_PEER || type == CONTROL_REAPED) {
            assert_int_equal(out.role, ROLE_MAILBOX);
            assert_int_equal(out.slot, 3);
            assert_true(out.incarnation == in.incarnation);
        }
        if (type == CONTROL_FILE || type == CONTROL_LISTEN)
            assert_true(str_eq(out.name, in.name));
        buf_fini(&b);
    }
}

static void
garbage(void **state)
{
    static const char long_name[400];
    static const struct {
        const char *name;
        struct str frame;
    } cases[] = {
        {"no type",               {"", 0}                                     },
        {"type none",             {"\0", 1}                                   },
        {"unknown type",          {"\x7f", 1}                                 },
        {"pipe none",             {"\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0", 15}  },
        {"unknown pipe",          {"\x01\x70\x01\0\0\0\0\0\0\0\0\0\0\0\0", 15}},
        {"role none",             {"\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0", 15}  },
        {"unknown role",          {"\x01\x01\x08\0\0\0\0\0\0\0\0\0\0\0\0", 15}},
        {"name beyond the frame", {"\x03\x05\0\0\0abc", 8}                    },
        {"name of 4 GiB",         {"\x03\xff\xff\xff\xff", 5}                 },
    };
    struct control_msg m;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (control_decode(cases[i].frame, &m))
            fail_msg("%s was taken", cases[i].name);

    struct buf b = {0};
    m = (struct control_msg){
        .type = CONTROL_FILE, .name = {long_name, sizeof long_name}
    };
    control_encode(&b, &m);
    assert_false(control_decode(buf_str(&b), &m));
    buf_fini(&b);
}

static void
names(void **state)
{
    (void)state;
    assert_null(role_name(ROLE_NONE));
    assert_null(role_name(ROLE_COUNT));
    assert_int_equal(role_from_name(STR("nobody")), ROLE_NONE);
    assert_int_equal(role_from_name(STR_EMPTY), ROLE_NONE);
    for (enum role r = ROLE_NONE + 1; r < ROLE_COUNT; r++)
        assert_int_equal(role_from_name(str_from(role_name(r))), r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type),
        cmocka_unit_test(garbage),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
