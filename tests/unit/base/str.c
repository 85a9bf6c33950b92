/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

static void
numbers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"0",                    true,  0         },
        {"42",                   true,  42        },
        {"18446744073709551615", true,  UINT64_MAX},
        {"18446744073709551616", false, 0         },
        {"",                     false, 0         },
        {"-1",                   false, 0         },
        {"1 ",                   false, 0         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t v = 0;
        assert_int_equal(str_to_u64(str_from(cases[i].text), &v), cases[i].ok);
        if (cases[i].ok)
            assert_true(v == cases[i].value);
    }
}

static void
cutting(void **state)
{
    struct str head, tail;
    (void)state;
    assert_true(str_cut(STR("MAIL FROM:<>"), ' ', &head, &tail));
    assert_true(str_eq(head, STR("MAIL")));
    assert_true(str_skip_nocase(&tail, STR("from:")));
    assert_true(str_eq(tail, STR("<>")));
    assert_false(str_cut(STR("QUIT"), ' ', &head, &tail));
    assert_true(str_eq(head, STR("QUIT")));
    assert_int_equal(tail.n, 0);
}

static void
searching(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("abcabc"), STR("ca")), 2);
    assert_int_equal(str_find(STR("abc"), STR("abcd")), -1);
    assert_int_equal(str_find_nocase(STR("Subject: X"), STR("JECT")), 3);
    assert_int_equal(str_find_nocase(STR("xxAbabABC"), STR("aBc")), 6);
    assert_int_equal(str_find_nocase(STR("zzZ end"), STR("z EN")), 2);
    assert_int_equal(str_find_nocase(STR("[[1.2.3]"), STR("[1")), 1);
    assert_int_equal(str_find_nocase(STR("aab"), STR("b")), 2);
    assert_int_equal(str_find_nocase(STR("aaba"), STR("BB")), -1);
    assert_int_equal(str_find_nocase(STR("a"), STR("ab")), -1);
    assert_int_equal(str_find_nocase(STR("@`{["), STR("`[")), -1);
    assert_int_equal(str_find_nocase(STR("x"), STR_EMPTY), 0);
    assert_int_equal(str_find(STR("aabaac"), STR("aac")), 3);
    assert_int_equal(str_find(STR("aabaa"), STR("aac")), -1);
    assert_int_equal(str_find(STR_EMPTY, STR("a")), -1);
    assert_int_equal(str_rfind_char(STR("a@b@c"), '@'), 3);
    assert_true(str_eq(str_trim(STR(" \tx y\r\n")), STR("x y")));
    assert_true(str_compare(STR("a"), STR("ab")) < 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(cutting),
        cmocka_unit_test(searching),
    };
    return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
