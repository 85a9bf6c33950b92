/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/smtp/base64.h"

/* RFC 4648, 10, and octets that use the last letters. */
static const struct {
    struct str bytes;
    const char *text;
} pairs[] = {
    {{"", 0},             ""        },
    {{"f", 1},            "Zg=="    },
    {{"fo", 2},           "Zm8="    },
    {{"foo", 3},          "Zm9v"    },
    {{"foobar", 6},       "Zm9vYmFy"},
    {{"\0a\0b", 4},       "AGEAYg=="},
    {{"\xfb\xff\xbf", 3}, "+/+/"    },
};

static void
both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct buf text = {0}, bytes = {0};
        base64_encode(&text, pairs[i].bytes);
        assert_true(str_eq(buf_str(&text), str_from(pairs[i].text)));
        assert_true(base64_decode(&bytes, buf_str(&text)));
        assert_true(str_eq(buf_str(&bytes), pairs[i].bytes));
        buf_fini(&text);
        buf_fini(&bytes);
    }
}

static void
refused(void **state)
{
    static const char *const cases[] = {
        "Z",    "Zg",   "Zg=",   "Zg===",    "Zh==", "Zm9=", "Z===",
        "====", "Zm9 ", "Zm9\n", "Zg==Zg==", "Z-9v", "Zm_v", "*",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        buf_add(&b, STR("x"));
        if (base64_decode(&b, str_from(cases[i])))
            fail_msg("accepted: %s", cases[i]);
        assert_int_equal(b.n, 1);
        buf_fini(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("proto/smtp/base64", tests, NULL, NULL);
}
