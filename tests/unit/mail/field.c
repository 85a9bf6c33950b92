/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/field.h"

static void
fields(void **state)
{
    static const struct {
        const char *value, *want;
    } cases[] = {
        {"hello",                                    "S: hello\r\n"                              },
        {"",                                         "S:\r\n"                                    },
        {"  two  blanks ",                           "S: two  blanks\r\n"                        },
        {"=?UTF-8?B?w6Q=?= kept",                    "S: =?UTF-8?B?w6Q=?= kept\r\n"              },
        {"a\r\nBcc: all",                            "S: a  Bcc: all\r\n"                        },
        {"Urlaub: schöne Grüße",
         "S: Urlaub: =?UTF-8?Q?sch=C3=B6ne_Gr=C3=BC=C3=9Fe?=\r\n"                                },
        {"Grüße von mir",                          "S: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= von mir\r\n"},
        {"\377",                                     "S: =?UTF-8?Q?=EF=BF=BD?=\r\n"              },
        {"0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
         "0123456789 0123456789",           "S: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789"
         "\r\n 0123456789 0123456789\r\n"              },
        {"ääääääääääääääääääää",
         "S: =?UTF-8?Q?=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4"
         "=C3=A4?=\r\n =?UTF-8?Q?=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4"
         "=C3=A4=C3=A4=C3=A4?=\r\n"                                                              },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        field_add(&got, STR("S"), str_from(cases[i].value));
        assert_string_equal(buf_cstr(&got), cases[i].want);
        buf_fini(&got);
    }
}

/* RFC 5322, 2.1.1: no line above 998, whatever comes. */
static void
long_words(void **state)
{
    struct buf value = {0}, got = {0};
    (void)state;
    for (int i = 0; i < 5000; i++)
        buf_add_char(&value, i == 2500 ? ' ' : 'x');
    field_add(&got, STR("Subject"), buf_str(&value));
    struct str rest = buf_str(&got), line;
    size_t x = 0;
    bool first = true;
    while (str_cut(rest, '\n', &line, &rest)) {
        assert_true(line.n <= 999);
        assert_true(first || line.p[0] == ' ');
        first = false;
        for (size_t i = 0; i < line.n; i++)
            x += line.p[i] == 'x';
    }
    assert_int_equal(x, 4999);
    assert_int_equal(rest.n, 0);
    buf_fini(&value);
    buf_fini(&got);
}

static void
phrases(void **state)
{
    struct buf b = {0};
    (void)state;
    field_add_quoted(&b, STR("On \"v\\acation"));
    assert_string_equal(buf_cstr(&b), "\"On \\\"v\\\\acation\"");
    buf_clear(&b);
    field_add_encoded(&b, STR("\303\234: a.b"));
    assert_string_equal(buf_cstr(&b), "=?UTF-8?Q?=C3=9C=3A_a=2Eb?=");
    buf_fini(&b);
    assert_true(field_is_ascii(STR("a~")));
    assert_false(field_is_ascii(STR("a\200")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(long_words),
        cmocka_unit_test(phrases),
    };
    return cmocka_run_group_tests_name("mail/field", tests, NULL, NULL);
}
