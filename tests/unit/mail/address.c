/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/address.h"

static void
check_str(struct str got, const char *want, const char *name)
{
    if (!str_eq(got, str_from(want)))
        fail_msg("%s: got \"%.*s\", want \"%s\"", name, STR_ARG(got), want);
}

#define LABEL63                                                                \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"
#define LOCAL64 LABEL63 "4"

/* whole NULL: not an address */
static const struct {
    const char *name, *text, *local, *domain, *key;
} mailboxes[] = {
    {"plain",               "Ann@Example.COM",           "Ann",             "Example.COM", "ann@example.com"        },
    {"dots",                "a.b+c@x.example",           "a.b+c",           "x.example",   "a.b+c@x.example"        },
    {"root dot",            "a@x.example.",              "a",               "x.example",   "a@x.example"            },
    {"quoted",              "\"Ann B\"@x.example",       "\"Ann B\"",       "x.example",
     "ann b@x.example"                                                                                              },
    {"needless quotes",     "\"ann\"@x.example",         "\"ann\"",         "x.example",
     "ann@x.example"                                                                                                },
    {"quoted at",           "\"a@b.example\"@x.example", "\"a@b.example\"", "x.example",
     "a@b.example@x.example"                                                                                        },
    {"quoted pair",         "\"a\\\"b\\\\\"@x.example",  "\"a\\\"b\\\\\"",  "x.example",
     "a\"b\\@x.example"                                                                                             },
    {"percent",             "a%b.example@x.example",     "a%b.example",     "x.example",
     "a%b.example@x.example"                                                                                        },
    {"bang",                "b.example!a@x.example",     "b.example!a",     "x.example",
     "b.example!a@x.example"                                                                                        },
    {"v4 literal",          "a@[127.0.0.1]",             "a",               "[127.0.0.1]", "a@[127.0.0.1]"          },
    {"v6 literal",          "a@[IPv6:::1]",              "a",               "[IPv6:::1]",  "a@[ipv6:::1]"           },
    {"longest local part",  LOCAL64 "@x",                LOCAL64,           "x",           LOCAL64 "@x"             },
    {"longest label",       "a@" LABEL63 ".x",           "a",               LABEL63 ".x",  "a@" LABEL63 ".x"        },
    {"utf8 domain",
     "a@B\xc3\xbc"
     "cher.example",                                     "a",
     "B\xc3\xbc"
     "cher.example",                                                                       "a@xn--bcher-kva.example"},
    {"utf8 local part",     "J\xc3\xb6rg@x.example",     "J\xc3\xb6rg",     "x.example",
     "j\xc3\xb6rg@x.example"                                                                                        },
    {"local part too long", LOCAL64 "5@x",               NULL,              NULL,          NULL                     },
    {"label too long",      "a@" LABEL63 "4.x",          NULL,              NULL,          NULL                     },
    {"empty",               "",                          NULL,              NULL,          NULL                     },
    {"bare",                "postmaster",                NULL,              NULL,          NULL                     },
    {"no local part",       "@x.example",                NULL,              NULL,          NULL                     },
    {"empty quotes",        "\"\"@x.example",            NULL,              NULL,          NULL                     },
    {"no domain",           "a@",                        NULL,              NULL,          NULL                     },
    {"two ats",             "a@b@x.example",             NULL,              NULL,          NULL                     },
    {"leading dot",         ".a@x.example",              NULL,              NULL,          NULL                     },
    {"trailing dot",        "a.@x.example",              NULL,              NULL,          NULL                     },
    {"two dots",            "a..b@x.example",            NULL,              NULL,          NULL                     },
    {"space",               "a b@x.example",             NULL,              NULL,          NULL                     },
    {"hyphen first",        "a@-x.example",              NULL,              NULL,          NULL                     },
    {"hyphen last",         "a@x-.example",              NULL,              NULL,          NULL                     },
    {"empty label",         "a@x..example",              NULL,              NULL,          NULL                     },
    {"two root dots",       "a@x.example..",             NULL,              NULL,          NULL                     },
    {"only a dot",          "a@.",                       NULL,              NULL,          NULL                     },
    {"underscore",          "a@x_y.example",             NULL,              NULL,          NULL                     },
    {"literal too large",   "a@[127.0.0.256]",           NULL,              NULL,          NULL                     },
    {"literal too short",   "a@[127.0.1]",               NULL,              NULL,          NULL                     },
    {"literal too long",    "a@[127.0.0.1.2]",           NULL,              NULL,          NULL                     },
    {"literal open",        "a@[127.0.0.1",              NULL,              NULL,          NULL                     },
    {"literal without tag", "a@[:1]",                    NULL,              NULL,          NULL                     },
    {"behind the literal",  "a@[127.0.0.1].x",           NULL,              NULL,          NULL                     },
    {"control in quotes",   "\"a\r\n\"@x",               NULL,              NULL,          NULL                     },
    {"quotes open",         "\"a@x.example",             NULL,              NULL,          NULL                     },
    {"pair at the end",     "\"a\\",                     NULL,              NULL,          NULL                     },
    {"behind quotes",       "\"a\"b@x.example",          NULL,              NULL,          NULL                     },
    {"overlong utf8",       "\xc0\xafx@x.example",       NULL,              NULL,          NULL                     },
    {"surrogate",           "\xed\xa0\x80@x.example",    NULL,              NULL,          NULL                     },
    {"short utf8",          "a\xe2\x82",                 NULL,              NULL,          NULL                     },
    {"latin1",              "J\xf6rg@x.example",         NULL,              NULL,          NULL                     },
    {"line break",          "a@x.example\r\n",           NULL,              NULL,          NULL                     },
};

static void
parsing(void **state)
{
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof mailboxes / sizeof *mailboxes; i++) {
        const char *name = mailboxes[i].name;
        struct address a;
        bool ok = address_parse(str_from(mailboxes[i].text), &a);
        if (ok != (mailboxes[i].local != NULL))
            fail_msg("%s: %s", name, ok ? "accepted" : "refused");
        if (!ok)
            continue;
        check_str(a.local, mailboxes[i].local, name);
        check_str(a.domain, mailboxes[i].domain, name);
        check_str(address_key(&arena, &a), mailboxes[i].key, name);
        assert_int_equal(a.literal, a.domain.p[0] == '[');
        assert_int_equal(a.whole.n, a.local.n + 1 + a.domain.n);
    }
    arena_fini(&arena);
}

static void
longest(void **state)
{
    struct address a;
    char text[ADDRESS_MAX + 2] = "a@";
    (void)state;
    for (size_t i = 2; i < sizeof text; i++)
        text[i] = i % 50 == 0 ? '.' : 'x';
    assert_true(address_parse(str_from_n(text, ADDRESS_MAX), &a));
    assert_false(address_parse(str_from_n(text, ADDRESS_MAX + 1), &a));
}

static void
recipients(void **state)
{
    struct address a;
    struct arena arena = {0};
    (void)state;
    assert_true(address_parse_recipient(STR("PostMaster"), &a));
    check_str(a.whole, "PostMaster", "whole");
    assert_int_equal(a.domain.n, 0);
    check_str(address_key(&arena, &a), "postmaster", "key");
    assert_true(address_parse_recipient(STR("a@x.example"), &a));
    assert_false(address_parse_recipient(STR("ann"), &a));
    assert_false(address_parse_recipient(STR("postmaster@"), &a));
    arena_fini(&arena);
}

/* rest NULL: not a path */
static const struct {
    const char *text, *whole, *rest;
    bool bare;
} paths[] = {
    {"<>",                             "",            "",        false},
    {"<> SIZE=1",                      "",            " SIZE=1", false},
    {"<a@x.example>",                  "a@x.example", "",        false},
    {"<a@x.example.> X",               "a@x.example", " X",      false},
    {"<@b.example:a@x.example>",       "a@x.example", "",        false},
    {"<@b.example,@[10.0.0.1]:a@x.y>", "a@x.y",       "",        false},
    {"<\">\"@x.y>",                    "\">\"@x.y",   "",        false},
    {"<Postmaster>",                   "Postmaster",  "",        true },
    {"<Postmaster>",                   NULL,          NULL,      false},
    {"<ann>",                          NULL,          NULL,      true },
    {"a@x.example",                    NULL,          NULL,      true },
    {"<a@x.example",                   NULL,          NULL,      true },
    {"<a@x.example >",                 NULL,          NULL,      true },
    {" <a@x.example>",                 NULL,          NULL,      true },
    {"<@b.example>",                   NULL,          NULL,      true },
    {"<@b.example:>",                  NULL,          NULL,      true },
    {"<@b.example,a@x.example>",       NULL,          NULL,      true },
    {"<@:a@x.example>",                NULL,          NULL,      true },
    {"",                               NULL,          NULL,      true },
    {"<",                              NULL,          NULL,      true },
};

static void
taking_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct address a;
        struct str in = str_from(paths[i].text);
        bool ok = address_take_path(&in, paths[i].bare, &a);
        if (ok != (paths[i].rest != NULL))
            fail_msg("%s: %s", paths[i].text, ok ? "accepted" : "refused");
        if (!ok)
            continue;
        check_str(a.whole, paths[i].whole, paths[i].text);
        check_str(in, paths[i].rest, paths[i].text);
    }
}

static void
domain_keys(void **state)
{
    static const struct {
        const char *domain, *key;
    } cases[] = {
        {"EXAMPLE.com.",          "example.com"          },
        {"",                      ""                     },
        {".",                     ""                     },
        {"stra\xc3\x9f"
         "e.example",    "xn--strae-oqa.example"},
        {"B\xc3\x9c"
         "CHER.example", "xn--bcher-kva.example"},
        {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
 // a lone combining mark is no label
        {"\xcc\x81.example",      ""                     },
 // nor are characters that are mapped to nothing
        {"a.\xcd\x8f.example",    ""                     },
    };
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_str(domain_key(&arena, str_from(cases[i].domain)), cases[i].key,
                  cases[i].domain);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing),     cmocka_unit_test(longest),
        cmocka_unit_test(recipients),  cmocka_unit_test(taking_paths),
        cmocka_unit_test(domain_keys),
    };
    return cmocka_run_group_tests_name("mail/address", tests, NULL, NULL);
}
