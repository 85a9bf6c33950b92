/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "book/book.h"
#include "fixture.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* Collects what a callback is given, one a line. */
static void
collect_address(void *ctx, struct str address)
{
    buf_addf(ctx, "%.*s\n", STR_ARG(address));
}

static void
collect_user(void *ctx, const struct accounts_user *u)
{
    buf_addf(ctx, "%.*s%s\n", STR_ARG(u->address),
             u->is.on_vacation ? " away" : "");
}

static void
collect_alias(void *ctx, const struct accounts_alias *x)
{
    buf_addf(ctx, "%.*s:", STR_ARG(x->address));
    for (size_t i = 0; i < x->n_targets; i++)
        buf_addf(ctx, " %.*s", STR_ARG(x->targets[i]));
    if (x->members_only)
        buf_addf(ctx, " (%zu)", x->n_members);
    buf_add_char(ctx, '\n');
}

static void
collect_domain(void *ctx, const struct accounts_domain *d)
{
    buf_addf(ctx, "%.*s %.*s\n", STR_ARG(d->name), STR_ARG(d->deliver));
}

static void
collect_change(void *ctx, int64_t seq, struct str key)
{
    (void)seq;
    buf_addf(ctx, "%.*s\n", STR_ARG(key));
}

static bool
collect_value(void *ctx, struct str key, struct str value, struct err *e)
{
    (void)e;
    buf_addf(ctx, "%.*s %zu\n", STR_ARG(key), value.n);
    return true;
}

static void
assert_text(struct buf *b, const char *want)
{
    assert_string_equal(buf_cstr(b), want);
    buf_clear(b);
}

static void
add_user(struct fixture *f, const char *address)
{
    assert_int_equal(
        accounts_user_add(f->a, str_from(address), STR("$y$hash"), 1000, &f->e),
        ACCOUNTS_DONE);
}

static void
domains(void **state)
{
    struct fixture *f = *state;
    struct accounts_domain d = {STR("b.example"), STR("maildir:/b/%{user}")};
    const struct accounts_domain plain = {STR("a.example"), STR_EMPTY};
    uint64_t accounts = 9, aliases = 9;
    struct buf b = {0};

    assert_int_equal(accounts_domain_add(f->a, &d, &f->e), ACCOUNTS_DONE);
    assert_int_equal(accounts_domain_add(f->a, &d, &f->e), ACCOUNTS_EXISTS);
    assert_int_equal(accounts_domain_add(f->a, &plain, &f->e), ACCOUNTS_DONE);
    assert_true(accounts_domain_list(f->a, collect_domain, &b, &f->e));
    assert_text(&b, "a.example \nb.example maildir:/b/%{user}\n");
    assert_int_equal(
        accounts_domain_get(f->a, &f->arena, STR("b.example"), &d, &f->e),
        ACCOUNTS_DONE);
    assert_true(str_eq(d.deliver, STR("maildir:/b/%{user}")));
    assert_int_equal(
        accounts_domain_get(f->a, &f->arena, STR("c.example"), &d, &f->e),
        ACCOUNTS_MISSING);

    assert_true(accounts_domain_count(f->a, STR("b.example"), &accounts,
                                      &aliases, &f->e));
    assert_int_equal(accounts + aliases, 0);
    add_user(f, "ann@b.example");
    add_user(f, "bob@b.example");
    assert_int_equal(
        fixture_alias(f, "@b.example", (const char *[]){"x@y.example"}, 1),
        ACCOUNTS_DONE);
    assert_true(accounts_domain_count(f->a, STR("b.example"), &accounts,
                                      &aliases, &f->e));
    assert_int_equal(accounts, 2);
    assert_int_equal(aliases, 1);

    assert_int_equal(accounts_domain_remove(f->a, STR("a.example"), &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_domain_remove(f->a, STR("a.example"), &f->e),
                     ACCOUNTS_MISSING);
    buf_fini(&b);
}

static void
users(void **state)
{
    struct fixture *f = *state;
    struct accounts_user u;
    struct buf b = {0};

    add_user(f, "bob@b.example");
    add_user(f, "ann@b.example");
    add_user(f, "ann@a.example");
    assert_int_equal(
        accounts_user_add(f->a, STR("ann@b.example"), STR("h"), 1, &f->e),
        ACCOUNTS_EXISTS);
    assert_true(accounts_user_list(f->a, STR_EMPTY, collect_user, &b, &f->e));
    assert_text(&b, "ann@a.example\nann@b.example\nbob@b.example\n");
    assert_true(
        accounts_user_list(f->a, STR("b.example"), collect_user, &b, &f->e));
    assert_text(&b, "ann@b.example\nbob@b.example\n");
    assert_true(accounts_with_local_part(f->a, STR("ann"), 9, collect_address,
                                         &b, &f->e));
    assert_text(&b, "ann@a.example\nann@b.example\n");

    assert_int_equal(
        accounts_user_get(f->a, &f->arena, STR("ann@b.example"), &u, &f->e),
        ACCOUNTS_DONE);
    assert_int_equal(u.created_ms, 1000);
    assert_int_equal(
        accounts_user_passwd(f->a, STR("ann@b.example"), STR("new"), &f->e),
        ACCOUNTS_DONE);
    assert_int_equal(accounts_user_hash(f->a, STR("ann@b.example"), &b, &f->e),
                     ACCOUNTS_DONE);
    assert_text(&b, "new");
    assert_int_equal(
        accounts_user_passwd(f->a, STR("eve@b.example"), STR("new"), &f->e),
        ACCOUNTS_MISSING);
    assert_int_equal(accounts_user_hash(f->a, STR("eve@b.example"), &b, &f->e),
                     ACCOUNTS_MISSING);

    assert_int_equal(accounts_user_remove(f->a, STR("bob@b.example"), &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_user_remove(f->a, STR("bob@b.example"), &f->e),
                     ACCOUNTS_MISSING);
    assert_int_equal(
        accounts_user_get(f->a, &f->arena, STR("bob@b.example"), &u, &f->e),
        ACCOUNTS_MISSING);
    buf_fini(&b);
}

static void
aliases(void **state)
{
    struct fixture *f = *state;
    const char *many[] = {"z@y.example", "ann@b.example", "m@y.example",
                          "o@y.example", "p@y.example"};
    struct accounts_alias x;
    struct buf b = {0};

    assert_int_equal(fixture_alias(f, "sales@b.example", many, 5),
                     ACCOUNTS_DONE);
    assert_int_equal(fixture_alias(f, "sales@b.example", many, 1),
                     ACCOUNTS_EXISTS);
    assert_int_equal(fixture_alias(f, "@a.example", many + 1, 1),
                     ACCOUNTS_DONE);
    assert_int_equal(
        accounts_alias_get(f->a, &f->arena, STR("sales@b.example"), &x, &f->e),
        ACCOUNTS_DONE);
    assert_int_equal(x.n_targets, 5);
    assert_true(str_eq(x.targets[0], STR("z@y.example"))); // order is kept
    assert_true(str_eq(x.keys[4], STR("p@y.example")));
    assert_true(accounts_alias_list(f->a, STR_EMPTY, collect_alias, &b, &f->e));
    assert_text(&b, "@a.example: ann@b.example\n"
                    "sales@b.example: z@y.example ann@b.example m@y.example "
                    "o@y.example p@y.example\n");
    assert_true(
        accounts_alias_list(f->a, STR("a.example"), collect_alias, &b, &f->e));
    assert_text(&b, "@a.example: ann@b.example\n");
    assert_true(accounts_aliases_to(f->a, STR("ann@b.example"), collect_address,
                                    &b, &f->e));
    assert_text(&b, "@a.example\nsales@b.example\n");
    assert_int_equal(accounts_alias_remove(f->a, STR("sales@b.example"), &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_alias_remove(f->a, STR("sales@b.example"), &f->e),
                     ACCOUNTS_MISSING);
    assert_true(accounts_aliases_to(f->a, STR("ann@b.example"), collect_address,
                                    &b, &f->e));
    assert_text(&b, "@a.example\n");
    buf_fini(&b);
}

static void
states(void **state)
{
    struct fixture *f = *state;
    const struct str ann = STR("ann@b.example");
    struct accounts_user u;
    struct book_account is = {
        .state = BOOK_SUSPENDED, .note = STR("unpaid"), .kicked = true};
    struct book_account value;
    struct buf b = {0};

    assert_int_equal(accounts_user_set_state(f->a, ann, &is, &f->e),
                     ACCOUNTS_MISSING);
    add_user(f, "ann@b.example");
    assert_int_equal(accounts_user_get(f->a, &f->arena, ann, &u, &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(u.is.state, BOOK_ACTIVE);
    assert_false(u.is.receive_only || u.is.kicked);
    assert_true(accounts_forget_changes(f->a, 1000, &f->e));

    assert_int_equal(accounts_user_set_state(f->a, ann, &is, &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_user_set_receive_only(f->a, ann, true, &f->e),
                     ACCOUNTS_DONE);
    assert_true(accounts_changes(f->a, 0, 9, collect_change, &b, &f->e));
    assert_text(&b, "a:ann@b.example\n");
    assert_true(accounts_value(f->a, STR("a:ann@b.example"), &b, &f->e));
    assert_true(book_account_decode(buf_str(&b), &value));
    assert_int_equal(value.state, BOOK_SUSPENDED);
    assert_true(value.receive_only && value.kicked);
    assert_true(str_eq(value.note, STR("unpaid")));
    buf_clear(&b);

    // a note belongs to its state, and so does the kick
    is.state = BOOK_ACTIVE;
    assert_int_equal(accounts_user_set_state(f->a, ann, &is, &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_user_get(f->a, &f->arena, ann, &u, &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(u.is.note.n, 0);
    assert_false(u.is.kicked);
    assert_true(u.is.receive_only);
    buf_fini(&b);
}

static void
limits(void **state)
{
    struct fixture *f = *state;
    const struct str ann = STR("ann@b.example");
    struct book_limits l = {
        {10, 0, BOOK_UNLIMITED, 40}
    };
    struct accounts_user u;
    struct buf b = {0};

    assert_int_equal(accounts_user_set_limits(f->a, ann, &l, &f->e),
                     ACCOUNTS_MISSING);
    add_user(f, "ann@b.example");
    assert_true(accounts_forget_changes(f->a, 1000, &f->e));
    assert_int_equal(accounts_user_set_limits(f->a, ann, &l, &f->e),
                     ACCOUNTS_DONE);
    assert_true(accounts_changes(f->a, 0, 9, collect_change, &b, &f->e));
    assert_text(&b, "a:ann@b.example\n");
    assert_int_equal(accounts_user_get(f->a, &f->arena, ann, &u, &f->e),
                     ACCOUNTS_DONE);
    assert_memory_equal(&u.is.limits, &l, sizeof l);
    l = (struct book_limits){
        {0, 20, 0, 0}
    };
    assert_int_equal(accounts_user_set_limits(f->a, ann, &l, &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_user_get(f->a, &f->arena, ann, &u, &f->e),
                     ACCOUNTS_DONE);
    assert_memory_equal(&u.is.limits, &l, sizeof l);
    buf_fini(&b);
}

static void
members(void **state)
{
    struct fixture *f = *state;
    const char *target[] = {"ann@b.example"};
    struct str list[] = {STR("@b.example"), STR("x@y.example"),
                         STR("c@y.example"), STR("b@y.example"),
                         STR("a@y.example")};
    struct accounts_alias x = {.address = STR("staff@b.example"),
                               .members_only = true,
                               .members = list,
                               .n_members = 5};
    struct book_alias value;
    struct buf b = {0};

    assert_int_equal(accounts_alias_set_members(f->a, &x, &f->e),
                     ACCOUNTS_MISSING);
    assert_int_equal(fixture_alias(f, "all@b.example", target, 1),
                     ACCOUNTS_DONE);
    assert_int_equal(fixture_alias(f, "staff@b.example", target, 1),
                     ACCOUNTS_DONE);
    assert_true(accounts_forget_changes(f->a, 1000, &f->e));
    assert_int_equal(accounts_alias_set_members(f->a, &x, &f->e),
                     ACCOUNTS_DONE);
    assert_true(accounts_changes(f->a, 0, 9, collect_change, &b, &f->e));
    assert_text(&b, "l:staff@b.example\n");
    assert_true(accounts_value(f->a, STR("l:staff@b.example"), &b, &f->e));
    assert_true(book_alias_decode(&f->arena, buf_str(&b), &value));
    assert_true(value.members_only);
    assert_int_equal(value.n_members, 5); // in their order
    assert_true(str_eq(value.members[0], STR("@b.example")));
    assert_true(str_eq(value.members[4], STR("a@y.example")));
    buf_clear(&b);

    // the list is replaced, not added to; and the others have none
    x.n_members = 0;
    assert_int_equal(accounts_alias_set_members(f->a, &x, &f->e),
                     ACCOUNTS_DONE);
    assert_true(accounts_alias_list(f->a, STR_EMPTY, collect_alias, &b, &f->e));
    assert_text(&b, "all@b.example: ann@b.example\n"
                    "staff@b.example: ann@b.example (0)\n");
    x.members_only = false;
    assert_int_equal(accounts_alias_set_members(f->a, &x, &f->e),
                     ACCOUNTS_DONE);
    assert_true(accounts_alias_list(f->a, STR_EMPTY, collect_alias, &b, &f->e));
    assert_text(&b, "all@b.example: ann@b.example\n"
                    "staff@b.example: ann@b.example\n");
    buf_fini(&b);
}

static void
vacations(void **state)
{
    struct fixture *f = *state;
    const struct accounts_vacation away = {STR("Away"), STR("Back soon.\n"), 5};
    struct accounts_vacation v = away;

    assert_int_equal(
        accounts_vacation_set(f->a, STR("ann@b.example"), &away, &f->e),
        ACCOUNTS_MISSING);
    add_user(f, "ann@b.example");
    assert_int_equal(
        accounts_vacation_set(f->a, STR("ann@b.example"), &away, &f->e),
        ACCOUNTS_DONE);
    v.subject = STR("Gone");
    assert_int_equal(
        accounts_vacation_set(f->a, STR("ann@b.example"), &v, &f->e),
        ACCOUNTS_DONE);
    assert_int_equal(
        accounts_vacation_get(f->a, &f->arena, STR("ann@b.example"), &v, &f->e),
        ACCOUNTS_DONE);
    assert_true(str_eq(v.subject, STR("Gone")));
    assert_true(str_eq(v.body, away.body));
    assert_int_equal(accounts_vacation_clear(f->a, STR("ann@b.example"), &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_vacation_clear(f->a, STR("ann@b.example"), &f->e),
                     ACCOUNTS_MISSING);
    // it goes with its account
    assert_int_equal(
        accounts_vacation_set(f->a, STR("ann@b.example"), &away, &f->e),
        ACCOUNTS_DONE);
    assert_int_equal(accounts_user_remove(f->a, STR("ann@b.example"), &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(
        accounts_vacation_get(f->a, &f->arena, STR("ann@b.example"), &v, &f->e),
        ACCOUNTS_MISSING);
}

static void
telling(void **state)
{
    static const struct {
        const char *name, *sender, *notice;
        int64_t at_ms;
        enum accounts_result want;
    } steps[] = {
        {"first",                  "s@x.example", "n1", 0,              ACCOUNTS_DONE},
        {"the same notice again",  "s@x.example", "n1", 10,             ACCOUNTS_DONE},
        {"another in the week",    "s@x.example", "n2", 7 * DAY_MS - 1,
         ACCOUNTS_EXISTS                                                             },
        {"another sender",         "t@x.example", "n2", 7 * DAY_MS - 1, ACCOUNTS_DONE},
        {"after a week",           "s@x.example", "n3", 7 * DAY_MS,     ACCOUNTS_DONE},
        {"and again in the next",  "s@x.example", "n4", 8 * DAY_MS,
         ACCOUNTS_EXISTS                                                             },
        {"the clock was set back", "s@x.example", "n5", 2 * DAY_MS,
         ACCOUNTS_DONE                                                               },
    };
    struct fixture *f = *state;

    add_user(f, "ann@b.example");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (accounts_tell(f->a, STR("ann@b.example"), str_from(steps[i].sender),
                          str_from(steps[i].notice), steps[i].at_ms,
                          &f->e) != steps[i].want)
            fail_msg("%s", steps[i].name);

    assert_true(accounts_tell_sweep(f->a, 9 * DAY_MS, &f->e)); // s's goes
    assert_int_equal(accounts_tell(f->a, STR("ann@b.example"),
                                   STR("s@x.example"), STR("n6"), 9 * DAY_MS,
                                   &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_tell(f->a, STR("ann@b.example"),
                                   STR("t@x.example"), STR("n6"), 9 * DAY_MS,
                                   &f->e),
                     ACCOUNTS_EXISTS);
}

/* The triggers note every change of the book, and nothing else. */
static void
change_log(void **state)
{
    struct fixture *f = *state;
    const struct accounts_domain d = {STR("b.example"), STR_EMPTY};
    const struct accounts_vacation away = {STR("Away"), STR("x"), 5};
    int64_t last = 0, again = 0, before = 0, after = 0;
    struct buf b = {0};

    assert_true(accounts_data_version(f->a, &before, &f->e));
    assert_int_equal(accounts_domain_add(f->a, &d, &f->e), ACCOUNTS_DONE);
    add_user(f, "ann@b.example");
    assert_int_equal(
        fixture_alias(f, "s@b.example",
                      (const char *[]){"x@y.example", "z@y.example"}, 2),
        ACCOUNTS_DONE);
    assert_true(accounts_changes(f->a, 0, 100, collect_change, &b, &f->e));
    assert_text(&b, "d:b.example\na:ann@b.example\nn:x@y.example\n"
                    "n:z@y.example\nl:s@b.example\n");
    assert_true(accounts_last_change(f->a, &last, &f->e));

    assert_int_equal(
        accounts_user_passwd(f->a, STR("ann@b.example"), STR("n"), &f->e),
        ACCOUNTS_DONE);
    assert_true(accounts_changes(f->a, last, 100, collect_change, &b, &f->e));
    assert_text(&b, "");
    assert_int_equal(
        accounts_vacation_set(f->a, STR("ann@b.example"), &away, &f->e),
        ACCOUNTS_DONE);
    assert_int_equal(accounts_alias_remove(f->a, STR("s@b.example"), &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_user_remove(f->a, STR("ann@b.example"), &f->e),
                     ACCOUNTS_DONE);
    assert_int_equal(accounts_domain_remove(f->a, STR("b.example"), &f->e),
                     ACCOUNTS_DONE);
    assert_true(accounts_changes(f->a, last, 2, collect_change, &b, &f->e));
    assert_text(&b, "n:x@y.example\nn:z@y.example\n"); // at most two
    assert_true(accounts_changes(f->a, last, 100, collect_change, &b, &f->e));
    assert_text(&b, "n:x@y.example\nn:z@y.example\nl:s@b.example\n"
                    "a:ann@b.example\nd:b.example\n");

    // numbers go on after the log was emptied
    assert_true(accounts_last_change(f->a, &last, &f->e));
    assert_true(accounts_forget_changes(f->a, last, &f->e));
    assert_int_equal(accounts_domain_add(f->a, &d, &f->e), ACCOUNTS_DONE);
    assert_true(accounts_last_change(f->a, &again, &f->e));
    assert_true(again > last);

    // another connection's commit is noticed
    struct accounts *other = accounts_open(f->path, &f->e);
    assert_non_null(other);
    assert_int_equal(accounts_domain_remove(other, STR("b.example"), &f->e),
                     ACCOUNTS_DONE);
    assert_true(accounts_data_version(f->a, &after, &f->e));
    assert_true(after != before);
    accounts_close(other);
    buf_fini(&b);
}

static void
values(void **state)
{
    struct fixture *f = *state;
    const struct accounts_domain d = {STR("b.example"), STR("maildir:/x")};
    const struct accounts_vacation away = {STR("Away"), STR("x"), 5};
    struct book_domain domain;
    struct book_account account;
    struct book_alias alias;
    struct buf b = {0};

    assert_int_equal(accounts_domain_add(f->a, &d, &f->e), ACCOUNTS_DONE);
    add_user(f, "ann@b.example");
    add_user(f, "bob@b.example");
    assert_int_equal(
        accounts_vacation_set(f->a, STR("ann@b.example"), &away, &f->e),
        ACCOUNTS_DONE);
    assert_int_equal(
        fixture_alias(f, "@b.example",
                      (const char *[]){"ann@b.example", "x@y.example"}, 2),
        ACCOUNTS_DONE);

    assert_true(accounts_value(f->a, STR("d:b.example"), &b, &f->e));
    assert_true(book_domain_decode(buf_str(&b), &domain));
    assert_true(str_eq(domain.delivery, d.deliver));
    buf_clear(&b);
    assert_true(accounts_value(f->a, STR("a:ann@b.example"), &b, &f->e));
    assert_true(book_account_decode(buf_str(&b), &account));
    assert_true(account.on_vacation);
    buf_clear(&b);
    assert_true(accounts_value(f->a, STR("l:@b.example"), &b, &f->e));
    assert_true(book_alias_decode(&f->arena, buf_str(&b), &alias));
    assert_int_equal(alias.n_targets, 2);
    buf_clear(&b);
    assert_true(accounts_value(f->a, STR("a:eve@b.example"), &b, &f->e));
    assert_true(accounts_value(f->a, STR("x:ann@b.example"), &b, &f->e));
    assert_int_equal(b.n, 0);

    assert_true(accounts_each_value(f->a, collect_value, &b, &f->e));
    assert_text(&b, "d:b.example 15\na:ann@b.example 1\na:bob@b.example 1\n"
                    "l:@b.example 36\nn:ann@b.example 18\nn:x@y.example 18\n");
    buf_fini(&b);
}

static void
transactions(void **state)
{
    struct fixture *f = *state;
    struct accounts_user u;

    assert_true(accounts_begin(f->a, &f->e));
    add_user(f, "ann@b.example");
    accounts_abort(f->a);
    assert_int_equal(
        accounts_user_get(f->a, &f->arena, STR("ann@b.example"), &u, &f->e),
        ACCOUNTS_MISSING);
    assert_true(accounts_begin(f->a, &f->e));
    add_user(f, "ann@b.example");
    assert_true(accounts_commit(f->a, &f->e));
    assert_int_equal(
        accounts_user_get(f->a, &f->arena, STR("ann@b.example"), &u, &f->e),
        ACCOUNTS_DONE);
}

/* What is no database of ours is refused, in words. */
static void
foreign_file(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    accounts_close(f->a);
    f->a = NULL;
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 4096; i++)
        assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
    assert_null(accounts_open(f->path, &e));
    assert_non_null(strstr(e.text, "not a database"));
    assert_null(accounts_open("/nonexistent/accounts.db", &e));
    assert_non_null(strstr(e.text, "/nonexistent/accounts.db"));
}

#define WITH_DATABASE(test)                                                    \
    cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(domains), WITH_DATABASE(users),
        WITH_DATABASE(aliases), WITH_DATABASE(vacations),
        WITH_DATABASE(telling), WITH_DATABASE(change_log),
        WITH_DATABASE(values),  WITH_DATABASE(transactions),
        WITH_DATABASE(states),  WITH_DATABASE(members),
        WITH_DATABASE(limits),  WITH_DATABASE(foreign_file),
    };
    return cmocka_run_group_tests_name("directory/accounts", tests, NULL, NULL);
}
