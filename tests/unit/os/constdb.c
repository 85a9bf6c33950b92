/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/constdb.h"

static void
round_trip(void **state)
{
    enum { RECORDS = 2000 };
    FILE *f = tmpfile();
    struct err e;
    struct buf key = {0};
    struct str value;
    (void)state;

    assert_non_null(f);
    struct constdb_maker *m = constdb_make(fileno(f), &e);
    assert_non_null(m);
    for (int i = 0; i < RECORDS; i++) {
        buf_clear(&key);
        buf_addf(&key, "a:user%d@b.example", i);
        assert_true(constdb_add(m, buf_str(&key),
                                str_first(buf_str(&key), (size_t)i % 9), &e));
    }
    assert_true(constdb_finish(m, &e));
    struct constdb *c = constdb_open(fileno(f), &e);
    assert_non_null(c);
    (void)fclose(f); // the mapping stays

    for (int i = 0; i < RECORDS; i++) {
        buf_clear(&key);
        buf_addf(&key, "a:user%d@b.example", i);
        assert_true(constdb_find(c, buf_str(&key), &value));
        assert_true(str_eq(value, str_first(buf_str(&key), (size_t)i % 9)));
    }
    assert_false(constdb_find(c, STR("a:user2000@b.example"), &value));
    assert_false(constdb_find(c, STR(""), &value));
    constdb_close(c);
    buf_fini(&key);
}

/* Octets that are no such database: refused, or nothing is found in them. */
static void
garbage(void **state)
{
    struct err e;
    struct str value;
    (void)state;

    FILE *f = tmpfile();
    assert_non_null(f);
    assert_null(constdb_open(fileno(f), &e));
    assert_true(e.text[0] != '\0');
    for (int i = 0; i < 5000; i++)
        assert_int_equal(fputc(0xf7, f), 0xf7);
    assert_int_equal(fflush(f), 0);
    struct constdb *c = constdb_open(fileno(f), &e);
    assert_false(c != NULL && constdb_find(c, STR("a:x"), &value));
    constdb_close(c);
    (void)fclose(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(garbage),
    };
    return cmocka_run_group_tests_name("os/constdb", tests, NULL, NULL);
}
