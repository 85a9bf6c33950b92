/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/fields.h"
#include "mail/mime.h"

static const struct {
    const char *name, *header, *field, *want; /* want NULL: there is none */
} cases[] = {
    {"the first of two",    "A: 1\r\nB: 2\r\nb: 3\r\n\r\nB: 4", "B",       "2"    },
    {"case does not count", "SUBJECT: x\n",                     "subject", "x"    },
    {"a longer name",       "Subject2: x\n",                    "subject", NULL   },
    {"not in the body",     "A: 1\n\nB: 2\n",                   "b",       NULL   },
    {"folded",              "A: 1\n 2\nB: 3\n",                 "a",       "1\n 2"},
    {"no header",           "",                                 "a",       NULL   },
    {"no field",            "nothing here\n",                   "a",       NULL   },
    {"mbox line",           "From x\nA: 1\n>From y\nB: 2\n",    "b",       "2"    },
};

static void
found_as_by_reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        struct fields f = fields_of(str_from(cases[i].header));
        struct str name = str_from(cases[i].field), got, read;
        bool found = fields_find(&f, &a, name, &got);
        if (found != (cases[i].want != NULL))
            fail_msg("%s", cases[i].name);
        assert_int_equal(found, mime_find(f.header, name, &read));
        if (found && !str_eq(got, str_from(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].name, STR_ARG(got));
        assert_true(!found || str_eq(got, read));
        arena_fini(&a);
    }
}

/* Fields beyond the table are found, too, the first of a name still first. */
static void
more_than_the_table_holds(void **state)
{
    struct arena a = {0};
    struct buf header = {0};
    struct str value;
    char name[16];
    (void)state;
    for (unsigned i = 0; i < 2 * FIELDS_MOST; i++)
        buf_addf(&header, "X-%u: %u\n", i, i);
    buf_add(&header, STR("X-5: again\n"));
    struct fields f = fields_of(buf_str(&header));
    for (unsigned i = 0; i < 2 * FIELDS_MOST; i += 7) {
        int n = snprintf(name, sizeof name, "x-%u", i);
        assert_true(fields_find(&f, &a, str_from_n(name, (size_t)n), &value));
        assert_true(str_eq(value, str_from(name + 2)));
    }
    assert_int_equal(f.n, FIELDS_MOST);
    assert_true(fields_find(&f, &a, STR("x-5"), &value));
    assert_true(str_eq(value, STR("5")));
    assert_false(fields_find(&f, &a, STR("x-none"), &value));
    buf_fini(&header);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_as_by_reading),
        cmocka_unit_test(more_than_the_table_holds),
    };
    return cmocka_run_group_tests_name("mail/fields", tests, NULL, NULL);
}
