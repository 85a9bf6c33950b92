/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receive/sasl.h"

#define S(text)                                                                \
    {                                                                          \
        text, sizeof text - 1                                                  \
    }
#define NOTHING                                                                \
    {                                                                          \
        NULL, 0                                                                \
    } /* the client said nothing yet */

static const struct {
    const char *name, *mechanism;
    struct str said[4];
    const char *challenges[4];   /* NULL: the end is expected here */
    const char *user, *password; /* NULL: malformed */
} cases[] = {
    {"plain",
     "PLAIN",                        {S("\0ann@x.example\0pw")},
     {NULL},
     "ann@x.example",                                                                 "pw"         },
    {"plain, asked",
     "plain",                        {NOTHING, S("\0ann\0p w")},
     {"", NULL},
     "ann",                                                                           "p w"        },
    {"plain, for oneself",  "PLAIN", {S("ann\0ann\0pw")},          {NULL},     "ann", "pw"         },
    {"plain, for another",  "PLAIN", {S("bob\0ann\0pw")},          {NULL},     NULL,  NULL         },
    {"plain, one part",     "PLAIN", {S("ann")},                   {NULL},     NULL,  NULL         },
    {"plain, two parts",    "PLAIN", {S("\0ann")},                 {NULL},     NULL,  NULL         },
    {"plain, empty",        "PLAIN", {S("")},                      {NULL},     NULL,  NULL         },
    {"plain, asked, empty", "PLAIN", {NOTHING, S("")},             {"", NULL}, NULL,  NULL         },
    {"login",
     "LOGIN",                        {NOTHING, S("ann"), S("pw")},
     {"Username:", "Password:", NULL},
     "ann",                                                                           "pw"         },
    {"login, name first",
     "Login",                        {S("ann"), S("pw")},
     {"Password:", NULL},
     "ann",                                                                           "pw"         },
    {"login, 8 bits",
     "LOGIN",                        {S("ann"), S("p\xc3\xa4ss")},
     {"Password:", NULL},
     "ann",                                                                           "p\xc3\xa4ss"},
};

static void
exchange(struct sasl_context *c, size_t i)
{
    struct sasl *s = sasl_new(c, str_from(cases[i].mechanism));
    struct buf challenge = {0};
    size_t at = 0;
    assert_non_null(s);
    for (; cases[i].challenges[at] != NULL; at++) {
        struct str said = cases[i].said[at];
        buf_clear(&challenge);
        enum sasl_result r = sasl_step(s, said.p == NULL ? STR_EMPTY : said,
                                       said.p != NULL, &challenge);
        if (r != SASL_MORE ||
            !str_eq(buf_str(&challenge), str_from(cases[i].challenges[at])))
            fail_msg("%s: step %zu: %d", cases[i].name, at, r);
    }
    enum sasl_result r = sasl_step(s, cases[i].said[at], true, &challenge);
    if (r != (cases[i].user != NULL ? SASL_CREDENTIALS : SASL_MALFORMED))
        fail_msg("%s: end: %d", cases[i].name, r);
    if (cases[i].user != NULL) {
        assert_true(str_eq(sasl_user(s), str_from(cases[i].user)));
        assert_true(str_eq(sasl_password(s), str_from(cases[i].password)));
    }
    buf_fini(&challenge);
    sasl_free(s);
}

static void
exchanges(void **state)
{
    struct sasl_context *c = sasl_context_new();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        exchange(c, i);
    assert_null(sasl_new(c, STR("CRAM-MD5")));
    sasl_free(NULL);
    sasl_context_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges),
    };
    return cmocka_run_group_tests_name("receive/sasl", tests, NULL, NULL);
}
