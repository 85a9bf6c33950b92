/* SPDX-License-Identifier: ISC */
/* Over the whole table: the database, the generator and the recogniser agree
 * about what a wording is, and none stands in the shadow of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "catalogue/catalogue_internal.h"
#include "catalogue/scan.h"

/* The wording as somebody gets it: a word for each wild card. */
static void
add_example(struct buf *to, const struct catalogue_wording *w)
{
    char status[16];
    if (w->status.klass != 0)
        buf_addf(to, "%.*s ", STR_ARG(status_format(w->status, status)));
    struct str pattern = pool_str(w->pattern);
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] == CATALOGUE_WILD)
            buf_add(to, STR("ann@acme.example"));
        else
            buf_add_char(to, pattern.p[i]);
    }
}

static enum catalogue_stage
stage_of(const struct catalogue_wording *w)
{
    for (int i = CATALOGUE_CONNECT; i <= CATALOGUE_DATA; i++)
        if ((w->stages & (1U << i)) != 0)
            return (enum catalogue_stage)i;
    return CATALOGUE_ANYWHERE;
}

/* As somebody gets it, and in capitals. */
static size_t
failures(bool loud)
{
    size_t failed = 0;
    for (size_t i = 0; i < catalogue_n_wordings; i++) {
        const struct catalogue_wording *w = &catalogue_wordings[i];
        const struct reason *want = &catalogue_reasons[w->reason];
        struct recognised r;
        struct buf b = {0};
        add_example(&b, w);
        for (size_t k = 0; loud && k < b.n; k++)
            if (b.p[k] >= 'a' && b.p[k] <= 'z')
                b.p[k] = (char)(b.p[k] - 'a' + 'A');
        (void)catalogue_read(buf_str(&b), stage_of(w), &r);
        if (r.reason != want) {
            print_error("%.*s: expected %.*s, got %.*s by \"%.*s\"\n",
                        STR_ARG(buf_str(&b)), STR_ARG(want->id),
                        STR_ARG(r.reason != NULL ? r.reason->id : STR("-")),
                        STR_ARG(r.wording));
            failed++;
        }
        buf_fini(&b);
    }
    return failed;
}

/* Calls check for each line that is no comment; their number. */
static size_t
each_line(const char *path, void (*check)(struct str line))
{
    static char text[64 << 10];
    struct str line, rest;
    size_t n = 0;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    rest = str_from_n(text, fread(text, 1, sizeof text, f));
    (void)fclose(f);
    assert_true(rest.n < sizeof text);
    while (rest.n > 0) {
        (void)str_cut(rest, '\n', &line, &rest);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        check(line);
        n++;
    }
    return n;
}

static const char *samples, *ordinary;

static void
check_sample(struct str line)
{
    struct str text, reason, stage;
    struct recognised r;
    (void)str_cut(line, '\t', &text, &reason);
    (void)str_cut(reason, '\t', &reason, &stage);
    (void)catalogue_read(text, catalogue_stage_find(stage), &r);
    struct str got = r.reason != NULL ? r.reason->id : STR("nothing");
    if (!str_eq(got, reason))
        print_error("%.*s: got %.*s by \"%.*s\"\n", STR_ARG(line), STR_ARG(got),
                    STR_ARG(r.wording));
    assert_true(str_eq(got, reason));
}

static void
known_samples(void **state)
{
    (void)state;
    assert_true(each_line(samples, check_sample) >= 35);
}

static void
check_ordinary(struct str line)
{
    struct recognised r;
    if (catalogue_read(line, CATALOGUE_ANYWHERE, &r))
        print_error("%.*s: %.*s by \"%.*s\"\n", STR_ARG(line),
                    STR_ARG(r.reason->id), STR_ARG(r.wording));
    assert_int_equal(r.by, BY_NOTHING);
}

static void
ordinary_mail_is_not_recognised(void **state)
{
    (void)state;
    assert_true(each_line(ordinary, check_ordinary) >= 10);
}

static void
each_is_recognised(void **state)
{
    (void)state;
    assert_true(catalogue_n_wordings > 5000);
    assert_int_equal(failures(false), 0);
    assert_int_equal(failures(true), 0);
    assert_null(catalogue_warning());
}

/* One of another version, one that is cut: each is made anew, with a warning.
 */
static void
a_database_that_does_not_fit(void **state)
{
    size_t n = catalogue_n_database;
    char *copy = aligned_alloc(CATALOGUE_ALIGNED, n);
    (void)state;
    assert_non_null(copy);
    memcpy(copy, catalogue_database, n);
    copy[5] ^= 1; // of the version, behind the four octets of the magic number
    scan_open(str_from_n(copy, n));
    assert_non_null(catalogue_warning());
    assert_true(each_line(samples, check_sample) > 0);
    scan_open(str_from_n(catalogue_database, n / 2));
    assert_non_null(catalogue_warning());
    free(copy);
    scan_open(str_from_n(catalogue_database, n));
    assert_null(catalogue_warning());
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_samples),
        cmocka_unit_test(ordinary_mail_is_not_recognised),
        cmocka_unit_test(each_is_recognised),
        cmocka_unit_test(a_database_that_does_not_fit),
    };
    if (argc != 3)
        return 2;
    samples = argv[1];
    ordinary = argv[2];
    return cmocka_run_group_tests_name("catalogue/wordings", tests, NULL, NULL);
}
