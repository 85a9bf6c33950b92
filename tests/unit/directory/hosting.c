/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "directory/hosting.h"
#include "fixture.h"

static struct conf_domain first[] = {
    {{"z.example", 9},     {"maildir:/z/%{user}", 18}   },
    {{"a.example", 9},     {"maildir:/a/%{user}", 18}   },
    {{"both.example", 12}, {"maildir:/conf/%{user}", 21}},
};

static bool
collect(void *ctx, struct str key, struct str value, struct err *e)
{
    struct book_domain d;
    (void)e;
    buf_addf(ctx, "%.*s", STR_ARG(key));
    if (str_starts(key, STR("d:"))) {
        assert_true(book_domain_decode(value, &d));
        buf_addf(ctx, " %.*s", STR_ARG(d.delivery));
    }
    buf_add_char(ctx, '\n');
    return true;
}

static void
collect_key(void *ctx, struct str key)
{
    buf_addf(ctx, "%.*s\n", STR_ARG(key));
}

static void
add_domain(struct fixture *f, struct str name, struct str deliver)
{
    const struct accounts_domain d = {name, deliver};
    assert_int_equal(accounts_domain_add(f->a, &d, &f->e), ACCOUNTS_DONE);
}

static void
both_sources(void **state)
{
    static const struct {
        const char *domain, *delivery; /* NULL: not hosted */
    } cases[] = {
        {"a.example",     "maildir:/a/%{user}"   },
        {"z.example",     "maildir:/z/%{user}"   },
        {"both.example",  "maildir:/conf/%{user}"}, // the config wins
        {"db.example",    "maildir:/db"          },
        {"plain.example", "maildir:/default"     },
        {"no.example",    NULL                   },
    };
    struct fixture *f = *state;
    const struct conf conf = {
        .deliver = STR("maildir:/default"), .domains = first, .n_domains = 3};
    struct hosting h;
    struct buf b = {0};
    struct book_domain d;

    hosting_init(&h, &conf);
    add_domain(f, STR("both.example"), STR("maildir:/db/%{user}"));
    add_domain(f, STR("db.example"), STR("maildir:/db"));
    add_domain(f, STR("plain.example"), STR_EMPTY);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str key = arena_printf(&f->arena, "d:%s", cases[i].domain);
        buf_clear(&b);
        assert_true(hosting_value(&h, f->a, key, &b, &f->e));
        assert_int_equal(b.n > 0, cases[i].delivery != NULL);
        if (b.n == 0)
            continue;
        assert_true(book_domain_decode(buf_str(&b), &d));
        assert_true(str_eq(d.delivery, str_from(cases[i].delivery)));
    }
    buf_clear(&b);
    assert_true(hosting_each_value(&h, f->a, collect, &b, &f->e));
    assert_string_equal(buf_cstr(&b), "d:a.example maildir:/a/%{user}\n"
                                      "d:both.example maildir:/conf/%{user}\n"
                                      "d:z.example maildir:/z/%{user}\n"
                                      "d:db.example maildir:/db\n"
                                      "d:plain.example maildir:/default\n");
    buf_fini(&b);
    hosting_fini(&h);
}

static void
reload(void **state)
{
    static struct conf_domain second[] = {
        {{"a.example", 9},     {"maildir:/a/%{user}", 18}   },
        {{"new.example", 11},  {"maildir:/n/%{user}", 18}   },
        {{"both.example", 12}, {"maildir:/else/%{user}", 21}},
    };
    struct fixture *f = *state;
    const struct conf was = {
        .deliver = STR("maildir:/default"), .domains = first, .n_domains = 3};
    struct conf is = {
        .deliver = STR("maildir:/default"), .domains = second, .n_domains = 3};
    struct hosting before, after;
    struct buf b = {0};

    add_domain(f, STR("db.example"), STR("maildir:/db"));
    add_domain(f, STR("plain.example"), STR_EMPTY);
    hosting_init(&before, &was);
    hosting_init(&after, &is);
    assert_true(
        hosting_differences(&before, &before, f->a, collect_key, &b, &f->e));
    assert_int_equal(b.n, 0);
    assert_true(
        hosting_differences(&before, &after, f->a, collect_key, &b, &f->e));
    assert_string_equal(buf_cstr(&b),
                        "d:z.example\nd:both.example\nd:new.example\n");
    hosting_fini(&after);

    buf_clear(&b);
    is = was;
    is.deliver = STR("maildir:/elsewhere");
    hosting_init(&after, &is);
    assert_true(
        hosting_differences(&before, &after, f->a, collect_key, &b, &f->e));
    assert_string_equal(buf_cstr(&b), "d:plain.example\n");
    hosting_fini(&before);
    hosting_fini(&after);
    buf_fini(&b);
}

#define WITH_DATABASE(test)                                                    \
    cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(both_sources),
        WITH_DATABASE(reload),
    };
    return cmocka_run_group_tests_name("directory/hosting", tests, NULL, NULL);
}
