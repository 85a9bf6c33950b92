/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "directory/password.h"

static void
round_trip(void **state)
{
    struct buf one = {0}, two = {0};
    struct err e;
    (void)state;

    assert_true(password_hash(STR("p\xc3\xa4ss word"), &one, &e));
    assert_true(password_hash(STR("p\xc3\xa4ss word"), &two, &e));
    assert_true(str_starts(buf_str(&one), STR("$y$")));
    assert_false(str_eq(buf_str(&one), buf_str(&two))); // salted
    assert_true(password_matches(STR("p\xc3\xa4ss word"), buf_str(&one)));
    assert_false(password_matches(STR("pass word"), buf_str(&one)));
    assert_false(password_matches(STR(""), buf_str(&one)));
    assert_false(password_matches(STR("p\xc3\xa4ss word\0x"), buf_str(&one)));
    buf_fini(&one);
    buf_fini(&two);
}

/* Hashes that were made elsewhere come along when accounts are moved. */
static void
foreign_hashes(void **state)
{
    static const struct {
        const char *hash;
        bool want;
    } cases[] = {
        {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
         "O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", true },
        {"",                                                            false},
        {"*",                                                           false},
        {"!",                                                           false},
        {"secret",                                                      false},
        {"Hello world!",                                                false},
        {"$99$x$y",                                                     false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (password_matches(STR("Hello world!"), str_from(cases[i].hash)) !=
            cases[i].want)
            fail_msg("%s", cases[i].hash);
}

static void
refused(void **state)
{
    char much[PASSWORD_MAX + 1];
    struct buf b = {0};
    struct err e;
    (void)state;

    memset(much, 'x', sizeof much);
    assert_false(password_hash(STR(""), &b, &e));
    assert_false(password_hash(STR("a\0b"), &b, &e));
    assert_false(password_hash(str_from_n(much, sizeof much), &b, &e));
    assert_int_equal(b.n, 0);
    assert_true(password_hash(str_from_n(much, PASSWORD_MAX), &b, &e));
    assert_true(password_matches(str_from_n(much, PASSWORD_MAX), buf_str(&b)));
    buf_fini(&b);
}

/* Nobody's hash is one that crypt(3) works on, with our own cost. */
static void
nobody(void **state)
{
    struct buf b = {0};
    struct err e;
    (void)state;

    assert_false(password_matches(STR("x"), password_nobody()));
    assert_true(password_hash(STR("x"), &b, &e));
    assert_true(
        str_eq(str_first(buf_str(&b), 7), str_first(password_nobody(), 7)));
    assert_int_equal(b.n, password_nobody().n);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(foreign_hashes),
        cmocka_unit_test(refused),
        cmocka_unit_test(nobody),
    };
    return cmocka_run_group_tests_name("directory/password", tests, NULL, NULL);
}
