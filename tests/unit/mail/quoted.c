/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/quoted.h"

static void
quoting(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a\nb\n",              "a\r\nb\r\n"               },
        {"a",                   "a\r\n"                    },
        {"a = b \n",            "a =3D b=20\r\n"           },
        {"\303\244",            "=C3=A4\r\n"               },
        {"\n\nx",               "\r\n\r\nx\r\n"            },
        {"012345678901234567890123456789012345678901234567890123456789012345678"
         "9"
         "0123456789", "012345678901234567890123456789012345678901234567890123456789012345678"
         "901"
         "234=\r\n56789\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        quoted_add(&b, str_from(cases[i].text), true);
        assert_string_equal(buf_cstr(&b), cases[i].want);
        buf_fini(&b);
    }
    assert_false(quoted_needed(STR("plain\ntext\n")));
    assert_true(quoted_needed(STR("pl\303\244in")));
    assert_false(quoted_needed(STR("a\tb\r\nc")));
    assert_true(quoted_needed(STR("a\001b")));
    assert_true(quoted_needed(STR("a\rb")));

    struct buf line = {0};
    for (int i = 0; i < 999; i++)
        buf_add_char(&line, 'x');
    assert_true(quoted_needed(buf_str(&line)));
    line.n--;
    assert_false(quoted_needed(buf_str(&line)));
    buf_fini(&line);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(quoting)};
    return cmocka_run_group_tests_name("mail/quoted", tests, NULL, NULL);
}
