/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/catalogue.h"

static void
notes(void **state)
{
    static const struct {
        const char *reason, *text;
        const char *says; /* a part of the note; NULL: nothing */
        const char *also;
    } cases[] = {
        {"unknown-recipient",     "550 5.1.1 no such user",                   NULL,                             NULL             },
        {"unknown-recipient",     "553 5.1.1 sorry, no mailbox",              NULL,                             NULL             },
        {"unknown-recipient",     "550 no such user",
         "put an enhanced code, 5.1.1,",                                                                        NULL             },
        {"unknown-recipient",     "553 sorry (#5.1.1)",                       "put 5.1.1 right after",
         NULL                                                                                                                    },
        {"unknown-recipient",     "553 sorry, rcpt user invalid (#5.7.1)",
         "5.1.1 right after the reply code fits better than 5.7.1",                                             NULL             },
        {"unknown-recipient",     "554 5.1.1 no",
         "550 or 553 fits better than 554, which means: the transaction",                                       NULL             },
        {"unknown-recipient",     "450 4.1.1 no",                             "450 makes the client try again",
         NULL                                                                                                                    },
        {"unknown-recipient",     "no such user",                             NULL,                             NULL             },
        {"relay-denied",          "550 5.7.1 no relay",                       NULL,                             NULL             },
        {"relay-denied",          "553 5.7.1 Not an open relay, so get lost",
         "550 or 554 fits better than 553",                                                                     NULL             },
        {"relay-denied",
         "553 5.3.0 <%{recipient}>... User unknown, not local address",       "550 or 554",                     "than 5.3.0"     },
        {"message-filtered",      "553-Message filtered.",
         "its last line goes on (\"553-\")",                                                                    "554 or 550 fits"},
        {"message-filtered",      "554-5.7.1 spam\n554 5.7.1 sorry",          NULL,                             NULL             },
        {"login-needed",          "553 authentication is required.",
         "530 fits better than 553",                                                                            "5.7.0"          },
        {"sender-domain-missing", "553 #5.1.8 Domain does not exist",
         "550 fits better than 553",                                                                            "put 5.1.8"      },
        {"greylisted",            "550 5.7.1 no",                             "give up at once",                NULL             },
        {"greylisted",            "451 4.7.1 later",                          NULL,                             NULL             },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf note = {0};
        bool fits = catalogue_fits(catalogue_find(str_from(cases[i].reason)),
                                   str_from(cases[i].text), &note);
        const char *got = buf_cstr(&note);
        bool right = cases[i].says == NULL
                         ? fits && note.n == 0
                         : !fits && strstr(got, cases[i].says) != NULL &&
                               (cases[i].also == NULL ||
                                strstr(got, cases[i].also) != NULL);
        if (!right)
            print_error("%s: %s\n", cases[i].text, got);
        assert_true(right);
        buf_fini(&note);
    }
}

/* The default codes of a reason that has no better ones are never noted. */
static void
own_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct reason *r = catalogue_at(i);
        struct buf text = {0}, note = {0};
        char status[16];
        buf_addf(&text, "%u %.*s no", r->code,
                 STR_ARG(status_format(r->status, status)));
        if (!catalogue_fits(r, buf_str(&text), &note))
            assert_non_null(strstr(buf_cstr(&note), "550 or 554"));
        buf_fini(&text);
        buf_fini(&note);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes),
        cmocka_unit_test(own_codes),
    };
    return cmocka_run_group_tests_name("catalogue/fits", tests, NULL, NULL);
}
