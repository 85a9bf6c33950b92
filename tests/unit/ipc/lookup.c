/* SPDX-License-Identifier: ISC */
#include "ipc/lookup.h"
#include "frames.h"

static bool
again(struct arena *a, struct str frame, struct buf *out)
{
    struct lookup_msg m;
    if (!lookup_decode(a, frame, &m))
        return false;
    lookup_encode(out, &m);
    return true;
}

static void
round_trip(void **state)
{
    static const struct str keys[] = {
        {"bob@x.example", 13},
        {"@x.example",    10},
        {"",              0 },
    };
    const struct lookup_msg cases[] = {
        {.type = LOOKUP_ASK,
         .seq = 42,
         .list = LIST_BADMAILFROM,
         .keys = keys,
         .n_keys = 3},
        {.type = LOOKUP_ASK,                     .seq = UINT64_MAX,    .list = LIST_VALIDRCPTTO},
        {.type = LOOKUP_ANSWER,
         .seq = 42,
         .found = LIST_YES,
         .key = 1,
         .value = STR("junk since May")},
        {.type = LOOKUP_ANSWER,
         .seq = 1,
         .found = LIST_TROUBLE,
         .value = STR_EMPTY                                                                                },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        lookup_encode(&b, &cases[i]);
        frames_check(buf_str(&b), again);
        buf_fini(&b);
    }
}

static void
fields(void **state)
{
    const struct str keys[] = {STR("a@b"), STR("@b")};
    struct arena a = {0};
    struct buf b = {0};
    struct lookup_msg m;
    (void)state;

    lookup_encode(&b, &(struct lookup_msg){.type = LOOKUP_ASK,
                                           .seq = 7,
                                           .list = LIST_RCPTHOSTS,
                                           .keys = keys,
                                           .n_keys = 2});
    assert_true(lookup_decode(&a, buf_str(&b), &m));
    assert_true(m.seq == 7 && m.list == LIST_RCPTHOSTS);
    assert_int_equal(m.n_keys, 2);
    assert_true(str_eq(m.keys[1], STR("@b")));
    // A count that the frame cannot hold; a list, a type and an answer that are
    // none.
    assert_false(
        lookup_decode(&a, STR("\1\0\0\0\0\0\0\0\0\1\377\377\377\377"), &m));
    assert_true(lookup_decode(&a, STR("\1\0\0\0\0\0\0\0\0\1\0\0\0\0"), &m));
    assert_false(lookup_decode(&a, STR("\1\0\0\0\0\0\0\0\0\5\0\0\0\0"), &m));
    assert_false(lookup_decode(&a, STR("\3\0\0\0\0\0\0\0\0\1\0\0\0\0"), &m));
    assert_true(
        lookup_decode(&a, STR("\2\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0"), &m));
    assert_false(
        lookup_decode(&a, STR("\2\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0"), &m));
    buf_fini(&b);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(fields),
    };
    return cmocka_run_group_tests_name("ipc/lookup", tests, NULL, NULL);
}
