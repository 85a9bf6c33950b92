/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/wordlist.h"

static const char *const words[] = {"delayed", "delay)", "still being retried",
                                    "retard\303\251",
                                    "\350\207\252\345\213\225"};

static const struct {
    const char *name, *text;
    int first; /* -1: none */
} cases[] = {
    {"a word",            "it was delayed",                       0 },
    {"any case",          "STILL Being Retried",                  2 },
    {"inside a word",     "undelayed",                            0 },
    {"first in the list", "still being retried (delay), delayed", 0 },
    {"not the whole",     "still being retrie",                   -1},
    {"at the end",        "a delay)",                             1 },
    {"octets keep case",  "RETARD\303\251",                       3 },
    {"other octets",      "retard\303\211",                       -1},
    {"beyond ASCII",      "x\350\207\252\345\213\225",            4 },
    {"starts overlap",    "deldelayed",                           0 },
    {"empty",             "",                                     -1},
    {"one octet",         "d",                                    -1},
};

static void
each_text(void **state)
{
    static struct wordlist list = WORDLIST(words);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str text = str_from(cases[i].text);
        if (wordlist_first(&list, text) != cases[i].first ||
            wordlist_any(&list, text) != (cases[i].first >= 0))
            fail_msg("%s", cases[i].name);
    }
}

static void
member_of_a_table(void **state)
{
    static const struct {
        int other;
        const char *word;
    } table[] = {
        {1, "one"},
        {2, "two"}
    };
    static struct wordlist list = WORDLIST_OF(table, word);
    (void)state;
    assert_int_equal(wordlist_first(&list, STR("the Two")), 1);
    assert_int_equal(wordlist_first(&list, STR("three")), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text),
        cmocka_unit_test(member_of_a_table),
    };
    return cmocka_run_group_tests_name("explain/wordlist", tests, NULL, NULL);
}
