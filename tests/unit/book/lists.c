/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "book/lists.h"
#include "book/network.h"

static void
lines(void **state)
{
    static const struct {
        const char *line;
        enum list_id list;
        enum list_line is;
        const char *key, *remark; /* ENTRY; BAD: expected */
    } cases[] = {
        {"",                                   LIST_BADMAILFROM,     LIST_LINE_EMPTY, "",                               ""              },
        {"  \t\r",                             LIST_BADMAILFROM,     LIST_LINE_EMPTY, "",                               ""              },
        {"# bob@x.example",                    LIST_BADMAILFROM,     LIST_LINE_EMPTY, "",                               ""              },
        {"   # indented",                      LIST_BADMAILFROM,     LIST_LINE_EMPTY, "",                               ""              },
        {"Bob@X.Example",                      LIST_BADMAILFROM,     LIST_LINE_ENTRY, "bob@x.example",
         ""                                                                                                                             },
        {"bob@x.example\r",                    LIST_BADMAILFROM,     LIST_LINE_ENTRY, "bob@x.example",
         ""                                                                                                                             },
        {"  bob@x.example.   junk since May ", LIST_BADMAILFROM,
         LIST_LINE_ENTRY,                                                             "bob@x.example",                  "junk since May"},
        {"bob@x.example\t# a comment",         LIST_BADMAILFROM,     LIST_LINE_ENTRY,
         "bob@x.example",                                                                                               ""              },
        {"\"Bob B\\\"\"@x.example why",        LIST_BADMAILFROM,     LIST_LINE_ENTRY,
         "bob b\"@x.example",                                                                                           "why"           },
        {"bob@b\303\274cher.example",          LIST_BADMAILFROM,     LIST_LINE_ENTRY,
         "bob@xn--bcher-kva.example",                                                                                   ""              },
        {"@X.example",                         LIST_BADMAILFROM,     LIST_LINE_ENTRY, "@x.example",                     ""              },
        {".X.example",                         LIST_BADMAILFROM,     LIST_LINE_ENTRY, ".x.example",                     ""              },
        {"x.example",                          LIST_BADMAILFROM,     LIST_LINE_BAD,
         "an address, @domain or .domain",                                                                              ""              },
        {"bob@",                               LIST_BADMAILFROM,     LIST_LINE_BAD,
         "an address, @domain or .domain",                                                                              ""              },
        {"@",                                  LIST_BADMAILFROM,     LIST_LINE_BAD,   "an address, @domain or .domain",
         ""                                                                                                                             },
        {".",                                  LIST_BADMAILFROM,     LIST_LINE_BAD,   "an address, @domain or .domain",
         ""                                                                                                                             },
        {"bob@x example",                      LIST_BADMAILFROM,     LIST_LINE_ENTRY, "bob@x",
         "example"                                                                                                                      },
        {"\"bob@x.example",                    LIST_BADMAILFROM,     LIST_LINE_BAD,
         "an address, @domain or .domain",                                                                              ""              },
        {"bob@x.example \377",                 LIST_BADMAILFROM,     LIST_LINE_BAD,
         "UTF-8 text without control characters",                                                                       ""              },
        {"bob@x.example a\rb",                 LIST_BADMAILFROM,     LIST_LINE_BAD,
         "UTF-8 text without control characters",                                                                       ""              },
        {"X.example",                          LIST_RCPTHOSTS,       LIST_LINE_ENTRY, "x.example",                      ""              },
        {".x.example",                         LIST_RCPTHOSTS,       LIST_LINE_ENTRY, ".x.example",                     ""              },
        {"bob@x.example",                      LIST_RCPTHOSTS,       LIST_LINE_BAD,   "a domain or .domain",
         ""                                                                                                                             },
        {"@x.example",                         LIST_RCPTHOSTS,       LIST_LINE_BAD,   "a domain or .domain",
         ""                                                                                                                             },
        {"192.0.2.1",                          LIST_CLIENTS_REFUSED, LIST_LINE_ENTRY, "192.0.2.1",                      ""              },
        {"192.0.2.77/24 scanner",              LIST_CLIENTS_REFUSED, LIST_LINE_ENTRY,
         "192.0.2.0/24",                                                                                                "scanner"       },
        {"x.example",                          LIST_CLIENTS_REFUSED, LIST_LINE_BAD,
         "an IP address or network",                                                                                    ""              },
        {"192.0.2.1/33",                       LIST_CLIENTS_REFUSED, LIST_LINE_BAD,
         "an IP address or network",                                                                                    ""              },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = {0};
        struct list_entry entry;
        struct str expected = STR_EMPTY;
        enum list_line is = list_parse_line(
            cases[i].list, str_from(cases[i].line), &a, &entry, &expected);
        assert_int_equal(is, cases[i].is);
        struct str key = is == LIST_LINE_BAD ? expected : entry.key;
        if (!str_eq(key, str_from(cases[i].key)))
            fail_msg("%s: %.*s", cases[i].line, STR_ARG(key));
        assert_true(str_eq(entry.remark, str_from(cases[i].remark)) ||
                    is == LIST_LINE_BAD);
        arena_fini(&a);
    }
}

static void
long_line(void **state)
{
    struct arena a = {0};
    struct buf line = {0};
    struct list_entry entry;
    struct str expected;
    (void)state;

    buf_add(&line, STR("bob@x.example "));
    while (line.n < LIST_LINE_MAX)
        buf_add_char(&line, 'x');
    assert_int_equal(list_parse_line(LIST_BADMAILFROM, buf_str(&line), &a,
                                     &entry, &expected),
                     LIST_LINE_ENTRY);
    buf_add_char(&line, 'x');
    assert_int_equal(list_parse_line(LIST_BADMAILFROM, buf_str(&line), &a,
                                     &entry, &expected),
                     LIST_LINE_BAD);
    buf_fini(&line);
    arena_fini(&a);
}

static void
names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LIST_COUNT; i++)
        assert_int_equal(list_from_name(list_name((enum list_id)i)), i);
    assert_int_equal(list_from_name(STR("badmailto")), LIST_COUNT);
    assert_true(str_eq(list_name(LIST_SENDER_DENY), STR("sender-deny")));
}

static void
networks(void **state)
{
    static const struct {
        const char *text, *key;
    } cases[] = {
        {"192.0.2.1",            "192.0.2.1"     },
        {"192.0.2.1/32",         "192.0.2.1"     },
        {"192.0.2.129/25",       "192.0.2.128/25"},
        {"192.0.2.129/0",        "0.0.0.0/0"     },
        {"2001:DB8:0:0::1",      "2001:db8::1"   },
        {"2001:db8::1/32",       "2001:db8::/32" },
        {"::ffff:192.0.2.1",     "192.0.2.1"     },
        {"::ffff:192.0.2.1/120", "192.0.2.0/24"  },
        {"::ffff:192.0.2.1/95",  ""              },
        {"::/129",               ""              },
        {"192.0.2",              ""              },
        {"192.0.2.1/",           ""              },
        {"192.0.2.1/x",          ""              },
        {"",                     ""              },
        {"bob",                  ""              },
    };
    struct arena a = {0};
    struct str k[NETWORK_KEYS_MAX];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str key = network_key(&a, str_from(cases[i].text));
        if (!str_eq(key, str_from(cases[i].key)))
            fail_msg("%s: %.*s", cases[i].text, STR_ARG(key));
    }
    assert_int_equal(network_keys(&a, STR("192.0.2.129"), k), 33);
    assert_true(str_eq(k[0], STR("192.0.2.129")));
    assert_true(str_eq(k[7], STR("192.0.2.128/25")));
    assert_true(str_eq(k[32], STR("0.0.0.0/0")));
    assert_int_equal(network_keys(&a, STR("2001:db8::1"), k), 129);
    assert_true(str_eq(k[96], STR("2001:db8::/32")));
    assert_int_equal(network_keys(&a, STR(""), k), 0); // a local program
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(long_line),
        cmocka_unit_test(names),
        cmocka_unit_test(networks),
    };
    return cmocka_run_group_tests_name("book/lists", tests, NULL, NULL);
}
