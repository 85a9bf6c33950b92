/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/value.h"

static void
durations(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t ms;
        const char *printed;
    } cases[] = {
        {"30s",                     true,  30000,    "30s"  },
        {"5m",                      true,  300000,   "5m"   },
        {"90m",                     true,  5400000,  "90m"  },
        {"4h",                      true,  14400000, "4h"   },
        {"24h",                     true,  86400000, "1d"   },
        {"200ms",                   true,  200,      "200ms"},
        {"0s",                      true,  0,        "0ms"  },
        {"5",                       false, 0,        NULL   },
        {"m",                       false, 0,        NULL   },
        {"5 m",                     false, 0,        NULL   },
        {"-5m",                     false, 0,        NULL   },
        {"5w",                      false, 0,        NULL   },
        {"18446744073709551615d",   false, 0,        NULL   },
        {"9223372036854775807d",    false, 0,        NULL   },
        {"99999999999999999999999", false, 0,        NULL   },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t ms = 0;
        struct buf b = {0};
        assert_int_equal(value_duration(str_from(cases[i].text), &ms),
                         cases[i].ok);
        if (cases[i].ok) {
            assert_true(ms == cases[i].ms);
            value_add_duration(&b, ms);
            assert_string_equal(buf_cstr(&b), cases[i].printed);
        }
        buf_fini(&b);
    }
}

static void
sizes(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t octets;
        const char *printed;
    } cases[] = {
        {"0",                     true,  0,          "0"   },
        {"65536",                 true,  65536,      "64K" },
        {"64M",                   true,  64 << 20,   "64M" },
        {"64m",                   true,  64 << 20,   "64M" },
        {"1500",                  true,  1500,       "1500"},
        {"2G",                    true,  2ULL << 30, "2G"  },
        {"1T",                    false, 0,          NULL  },
        {"G",                     false, 0,          NULL  },
        {"",                      false, 0,          NULL  },
        {"18446744073709551615G", false, 0,          NULL  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t octets = 1;
        struct buf b = {0};
        assert_int_equal(value_size(str_from(cases[i].text), &octets),
                         cases[i].ok);
        if (cases[i].ok) {
            assert_true(octets == cases[i].octets);
            value_add_size(&b, octets);
            assert_string_equal(buf_cstr(&b), cases[i].printed);
        }
        buf_fini(&b);
    }
}

static void
checks(void **state)
{
    static const struct {
        const char *(*check)(struct str);
        const char *text;
        bool ok;
    } cases[] = {
        {value_check_hostname,  "mx1.example.com",      true },
        {value_check_hostname,  "localhost",            true },
        {value_check_hostname,  "",                     false},
        {value_check_hostname,  "a..b",                 false},
        {value_check_hostname,  "127.0.0.1",            false},
        {value_check_address,   "ann@example.com",      true },
        {value_check_address,   "<ann@example.com>",    false},
        {value_check_address,   "ann@[192.0.2.1]",      false},
        {value_check_listen,    "*:25",                 true },
        {value_check_listen,    "127.0.0.1:2525",       true },
        {value_check_listen,    "[::1]:25",             true },
        {value_check_listen,    "::1:25",               false},
        {value_check_listen,    "[127.0.0.1]:25",       false},
        {value_check_listen,    "[::1:25",              false},
        {value_check_listen,    "localhost:25",         false},
        {value_check_listen,    "25",                   false},
        {value_check_listen,    ":25",                  false},
        {value_check_listen,    "*:",                   false},
        {value_check_network,   "10.0.0.0/8",           true },
        {value_check_network,   "10.0.0.1",             true },
        {value_check_network,   "2001:db8::/32",        true },
        {value_check_network,   "::1/129",              false},
        {value_check_network,   "10.0.0.0/",            false},
        {value_check_network,   "10/8",                 false},
        {value_check_smarthost, "smtp.isp.example",     true },
        {value_check_smarthost, "smtp.isp.example:587", true },
        {value_check_smarthost, "192.0.2.1",            true },
        {value_check_smarthost, "[::1]",                true },
        {value_check_smarthost, "[::1]:25",             true },
        {value_check_smarthost, "[::1]25",              false},
        {value_check_smarthost, "::1",                  false},
        {value_check_smarthost, "host:",                false},
        {value_check_smarthost, "host:smtp",            false},
        {value_check_resolver,  "127.0.0.1",            true },
        {value_check_resolver,  "127.0.0.1@5300",       true },
        {value_check_resolver,  "::1@53",               true },
        {value_check_resolver,  "127.0.0.1:53",         false},
        {value_check_state,     "/srv",                 true },
        {value_check_state,     "srv",                  false},
        {value_check_state,     "/srv/..",              false},
        {value_check_state,     "/li%/x",               false},
        {value_check_state,     "/",                    false},
        {value_check_deliver,   "maildir:/m/%{user}",   true },
        {value_check_deliver,   "maildir:/m",           true },
        {value_check_deliver,   "maildir:m/%{user}",    false},
        {value_check_deliver,   "maildir:/m/%u",        false},
        {value_check_deliver,   "mbox:/m",              false},
        {value_check_reply,     "553 no",               true },
        {value_check_reply,     "450 later (#4.7.1)",   true },
        {value_check_reply,     "553-no",               true },
        {value_check_reply,     "553 %{recipient} no",  true },
        {value_check_reply,     "553 %{recipent} no",   false},
        {value_check_reply,     "553 %{recipient no",   false},
        {value_check_reply,     "553 ",                 false},
        {value_check_reply,     "250 yes",              false},
        {value_check_reply,     "5a3 no",               false},
        {value_check_reply,     "553 n\xc3\xb6",        false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *expected = cases[i].check(str_from(cases[i].text));
        if ((expected == NULL) != cases[i].ok)
            fail_msg("\"%s\": %s", cases[i].text,
                     expected == NULL ? "taken" : expected);
    }
}

static void
sources(void **state)
{
    static const struct {
        const char *text;
        enum source_kind kind;
        const char *place, *query;
    } cases[] = {
        {"file:/etc/x",                                SOURCE_FILE,     "/etc/x",                             ""},
        {"file:a?SELECT 1",                            SOURCE_FILE,     "a?SELECT 1",                         ""},
        {"sqlite:/var/x.db",                           SOURCE_SQLITE,   "/var/x.db",                          ""},
        {"sqlite:a?b.db? select 1 FROM t WHERE a = ?", SOURCE_SQLITE,   "a?b.db",
         "select 1 FROM t WHERE a = ?"                                                                          },
        {"postgres:postgresql://u@h/d?sslmode=require?WITH a AS (SELECT $1) "
         "SELECT 1 FROM a",                   SOURCE_POSTGRES, "postgresql://u@h/d?sslmode=require",
         "WITH a AS (SELECT $1) SELECT 1 FROM a"                                                                },
        {"postgres:",                                  SOURCE_POSTGRES, "",                                   ""},
        {"sqlite:",                                    SOURCE_NONE,     "",                                   ""},
        {"file:",                                      SOURCE_NONE,     "",                                   ""},
        {"/etc/x",                                     SOURCE_NONE,     "",                                   ""},
        {"mysql:x",                                    SOURCE_NONE,     "",                                   ""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value_source s;
        bool ok = value_source(str_from(cases[i].text), &s);
        assert_int_equal(ok, cases[i].kind != SOURCE_NONE);
        assert_int_equal(value_check_source(str_from(cases[i].text)) == NULL,
                         ok);
        if (!ok)
            continue;
        assert_int_equal(s.kind, cases[i].kind);
        assert_true(str_eq(s.place, str_from(cases[i].place)));
        assert_true(str_eq(s.query, str_from(cases[i].query)));
    }
}

static void
distances(void **state)
{
    (void)state;
    assert_int_equal(value_distance(STR("relay"), STR("relay"), 3), 0);
    assert_int_equal(value_distance(STR("relay"), STR("realy"), 3), 2);
    assert_int_equal(value_distance(STR("relay"), STR("rely"), 3), 1);
    assert_int_equal(value_distance(STR("relay"), STR("listen"), 3), 4);
    assert_int_equal(value_distance(STR(""), STR("abc"), 9), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations), cmocka_unit_test(sizes),
        cmocka_unit_test(checks),    cmocka_unit_test(sources),
        cmocka_unit_test(distances),
    };
    return cmocka_run_group_tests_name("conf/value", tests, NULL, NULL);
}
