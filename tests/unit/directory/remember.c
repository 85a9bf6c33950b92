/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "directory/remember.h"

static const struct instant start = {.mono_ms = 5000};

static void
only_the_same(void **state)
{
    static const struct {
        const char *account, *hash, *password;
        bool known;
    } cases[] = {
        {"ann@b.example", "$y$1", "apple",  true },
        {"ann@b.example", "$y$1", "Apple",  false},
        {"ann@b.example", "$y$1", "",       false},
        {"ann@b.example", "$y$2", "apple",  false}, // a new password
        {"ann@b.example", "$y$",  "1apple", false},
        {"bob@b.example", "$y$1", "apple",  false},
    };
    struct remember r;
    (void)state;

    remember_init(&r);
    remember_good(&r, STR("ann@b.example"), STR("$y$1"), STR("apple"), start);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (remember_knows(&r, str_from(cases[i].account),
                           str_from(cases[i].hash), str_from(cases[i].password),
                           start) != cases[i].known)
            fail_msg("%s %s", cases[i].hash, cases[i].password);
    remember_forget(&r, STR("ann@b.example"));
    assert_false(remember_knows(&r, STR("ann@b.example"), STR("$y$1"),
                                STR("apple"), start));
    remember_fini(&r);
}

static void
for_minutes(void **state)
{
    struct remember r;
    struct instant later = start;
    (void)state;

    remember_init(&r);
    remember_good(&r, STR("a"), STR("h"), STR("p"), start);
    later.mono_ms += 5 * 60 * 1000 - 1;
    assert_true(remember_knows(&r, STR("a"), STR("h"), STR("p"), later));
    later.mono_ms += 1;
    assert_false(remember_knows(&r, STR("a"), STR("h"), STR("p"), later));
    assert_int_equal(r.entries.count, 0);
    remember_fini(&r);
}

static void
bounded(void **state)
{
    struct remember r;
    struct buf account = {0};
    (void)state;

    remember_init(&r);
    for (int i = 0; i < 25000; i++) {
        buf_clear(&account);
        buf_addf(&account, "a%d", i);
        remember_good(&r, buf_str(&account), STR("h"), STR("p"), start);
        assert_true(r.entries.count <= 10000);
    }
    assert_true(
        remember_knows(&r, buf_str(&account), STR("h"), STR("p"), start));
    buf_fini(&account);
    remember_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same),
        cmocka_unit_test(for_minutes),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests_name("directory/remember", tests, NULL, NULL);
}
