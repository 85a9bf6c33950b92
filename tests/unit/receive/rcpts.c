/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "receive/rcpts.h"

static struct smtp_rcpt
rcpt(struct str address)
{
    return (struct smtp_rcpt){
        .recipient.whole = address, .orcpt = STR_EMPTY, .notify = 0};
}

static void
said_twice_is_kept_once(void **state)
{
    struct arena a = {0};
    (void)state;
    for (size_t n = 1; n <= 3000; n = n * 3 + 1) {
        struct envelope e = {.sender = STR_EMPTY};
        struct rcpts r = {0};
        for (int round = 0; round < 2; round++) {
            for (size_t i = 0; i < n; i++) {
                struct smtp_rcpt one =
                    rcpt(arena_printf(&a, "u%zu@example.com", i));
                rcpts_add(&r, &a, &e, &one);
            }
            assert_int_equal(e.n_rcpts, n);
        }
        for (size_t i = 0; i < n; i++)
            assert_true(str_eq(e.rcpts[i].address,
                               arena_printf(&a, "u%zu@example.com", i)));
        arena_reset(&a);
    }
    arena_fini(&a);
}

static void
another_spelling_is_another_recipient(void **state)
{
    struct arena a = {0};
    struct envelope e = {.sender = STR_EMPTY};
    struct rcpts r = {0};
    struct smtp_rcpt one = rcpt(STR("ann@example.com"));
    struct smtp_rcpt other = rcpt(STR("Ann@example.com"));
    (void)state;
    one.orcpt = STR("rfc822;ann@example.com");
    one.notify = NOTIFY_NEVER;
    rcpts_add(&r, &a, &e, &one);
    rcpts_add(&r, &a, &e, &other);
    assert_int_equal(e.n_rcpts, 2);
    assert_true(str_eq(e.rcpts[0].orcpt, one.orcpt));
    assert_int_equal(e.rcpts[0].notify, NOTIFY_NEVER);
    assert_int_equal(e.rcpts[1].notify, NOTIFY_DEFAULT);
    arena_fini(&a);
}

/* RFC 6533, 3: in the form that every next host takes. */
static void
orcpt_in_utf8(void **state)
{
    static const struct {
        const char *given, *kept;
    } cases[] = {
        {"utf-8;j\xc3\xb6rg@example.com",         "utf-8;j\\x{F6}rg@example.com"},
        {"utf-8;\xe4\xbe\x8b@\xf0\x9f\x93\xa7.x",
         "utf-8;\\x{4F8B}@\\x{1F4E7}.x"                                         },
        {"utf-8;a\\x{FC}+2B\xc3\xb6",             "utf-8;a\\x{FC}+2B\\x{F6}"    },
    };
    struct arena a = {0};
    struct envelope e = {.sender = STR_EMPTY};
    struct rcpts r = {0};
    char longest[500];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct smtp_rcpt one = rcpt(arena_printf(&a, "u%zu@example.com", i));
        one.orcpt = str_from(cases[i].given);
        one.orcpt_utf8 = true;
        rcpts_add(&r, &a, &e, &one);
        assert_true(str_eq(e.rcpts[i].orcpt, str_from(cases[i].kept)));
    }
    struct smtp_rcpt grown = rcpt(STR("x@example.com"));
    memset(longest, '\xc3', sizeof longest);
    for (size_t i = 1; i < sizeof longest; i += 2)
        longest[i] = '\xb6';
    grown.orcpt = str_from_n(longest, sizeof longest);
    grown.orcpt_utf8 = true;
    rcpts_add(&r, &a, &e, &grown);
    assert_int_equal(e.rcpts[e.n_rcpts - 1].orcpt.n, 0);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(said_twice_is_kept_once),
        cmocka_unit_test(another_spelling_is_another_recipient),
        cmocka_unit_test(orcpt_in_utf8),
    };
    return cmocka_run_group_tests_name("receive/rcpts", tests, NULL, NULL);
}
