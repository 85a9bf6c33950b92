/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/columns.h"
#include "base/utf8.h"
#include "catalogue/language.h"

static void
by_tag(void **state)
{
    static const struct {
        const char *tag, *want; /* NULL: none of ours */
    } cases[] = {
        {"en",               "en"},
        {"de",               "de"},
        {"DE",               "de"},
        {"fr-CA",            "fr"},
        {"es_MX.UTF-8",      "es"},
        {"th_TH.UTF-8@euro", "th"},
        {"ja",               "ja"},
        {"d",                NULL},
        {"deu",              NULL},
        {"",                 NULL},
        {"-de",              NULL},
        {"C",                NULL},
    };
    (void)state;
    assert_int_equal(language_count(), 6);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned lang = 77;
        bool found = language_find(str_from(cases[i].tag), &lang);
        assert_int_equal(found, cases[i].want != NULL);
        if (found)
            assert_true(str_eq(language_tag(lang), str_from(cases[i].want)));
        else
            assert_int_equal(lang, 77);
    }
}

static void
by_locale(void **state)
{
    static const struct {
        const char *locale, *want;
    } cases[] = {
        {"de_DE.UTF-8",      "de"},
        {"de_DE.utf8",       "de"},
        {"de_DE@euro",       "de"},
        {"ja_JP.eucJP",      "en"},
        {"de_DE.ISO-8859-1", "en"},
        {"C",                "en"},
        {"C.UTF-8",          "en"},
        {"POSIX",            "en"},
        {"it_IT.UTF-8",      "en"},
        {"",                 "en"},
        {"th",               "th"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned lang = language_of_locale(str_from(cases[i].locale));
        assert_true(str_eq(language_tag(lang), str_from(cases[i].want)));
    }
}

static void
texts(void **state)
{
    const struct reason *r = catalogue_find(STR("unknown-recipient"));
    unsigned de, ja;
    (void)state;
    assert_true(language_find(STR("de"), &de));
    assert_true(language_find(STR("ja"), &ja));
    assert_true(
        str_eq(catalogue_text(r, LANGUAGE_ENGLISH, CATALOGUE_NEXT), r->next));
    assert_true(
        str_eq(catalogue_text(r, LANGUAGE_ENGLISH, CATALOGUE_WHO), r->who));
    assert_true(str_eq(catalogue_text(r, de, CATALOGUE_MEANING),
                       STR("Auf dem Server des Empf\303\244ngers gibt es kein "
                           "Postfach dieses Namens.")));
    assert_true(
        str_eq(catalogue_text(r, de, CATALOGUE_WHO), STR("der Absender")));
    assert_true(
        str_eq(catalogue_word(STR("not a label"), de), STR("not a label")));
    // A language that is not there is English.
    assert_true(str_eq(catalogue_text(r, 99, CATALOGUE_MEANING), r->meaning));
    // Continued lines of Japanese are joined without a blank.
    assert_true(str_find(catalogue_text(r, ja, CATALOGUE_NEXT),
                         STR("\343\200\201 ")) < 0);
}

/* Every text of every language: UTF-8, sentences to the end, no two blanks; in
 * Thai, which is parted only at blanks, no phrase wider than a line. */
static void
every_text(void **state)
{
    (void)state;
    for (unsigned lang = 0; lang < language_count(); lang++) {
        for (size_t i = 0; i < 3 * catalogue_count(); i++) {
            const struct reason *r = catalogue_at(i / 3);
            struct str t = catalogue_text(r, lang, i % 3);
            assert_true(t.n > 0 && utf8_valid(t));
            assert_true(str_find(t, STR("  ")) < 0);
            while (t.n > 0) {
                struct str line = columns_take(&t, 55);
                if (columns_width(line) > 55)
                    print_error("%.*s: %.*s: too wide: %.*s\n",
                                STR_ARG(language_tag(lang)), STR_ARG(r->id),
                                STR_ARG(line));
                assert_true(columns_width(line) <= 55);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_tag),
        cmocka_unit_test(by_locale),
        cmocka_unit_test(texts),
        cmocka_unit_test(every_text),
    };
    return cmocka_run_group_tests_name("catalogue/language", tests, NULL, NULL);
}
