/* SPDX-License-Identifier: ISC */
/* Given answers of the DNS: which hosts in which order, or what verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "send/route.h"

static bool
is_self(void *ctx, struct str address, uint16_t port)
{
    (void)ctx;
    return str_eq(address, STR("192.0.2.99")) && port == 25;
}

static const struct route_self self = {
    .hostname = {"me.example", 10},
      .is_self = is_self
};

/* "-" no data, "?" no such name, "!" trouble, else the records: "10=mx.example
 * 20=..." or "192.0.2.1 ...". */
static void
make_answer(struct arena *a, struct str spec, struct dns_answer *out)
{
    struct str word;

    *out =
        (struct dns_answer){.records = arena_array(a, 8, sizeof *out->records)};
    out->result = str_eq(spec, STR("-"))   ? DNS_NO_DATA
                  : str_eq(spec, STR("?")) ? DNS_NO_NAME
                  : str_eq(spec, STR("!")) ? DNS_TROUBLE
                                           : DNS_OK;
    while (out->result == DNS_OK && spec.n > 0) {
        struct str number, text;
        uint64_t preference = 0;
        (void)str_cut(spec, ' ', &word, &spec);
        if (!str_cut(word, '=', &number, &text))
            text = word;
        else
            (void)str_to_u64(number, &preference);
        out->records[out->n++] = (struct dns_record){
            .preference = (uint16_t)preference, .text = text};
    }
}

/* "a.example: 192.0.2.1 192.0.2.2; b.example: -"; what is not named does not
 * exist. */
static struct str
look_up(struct str spec, struct str name)
{
    struct str entry;
    bool more = spec.n > 0;

    while (more) {
        more = str_cut(spec, ';', &entry, &spec);
        entry = str_trim(entry);
        if (str_skip(&entry, name) && str_skip(&entry, STR(": ")))
            return entry;
    }
    return STR("?");
}

static void
describe(const struct route *r, struct buf *to)
{
    char status[16];

    for (size_t i = 0; i < r->n_targets; i++)
        buf_addf(to, "%s%.*s", i > 0 ? ", " : "",
                 STR_ARG(r->targets[i].remote));
    if (r->verdict.outcome == OUTCOME_NONE)
        return;
    (void)status_format(r->verdict.status, status);
    buf_addf(to, "%s %s %.*s",
             r->verdict.outcome == OUTCOME_REFUSED ? "refused" : "later",
             status, STR_ARG(r->verdict.reason));
}

static void
decisions(void **state)
{
    static const struct {
        const char *destination;
        bool smarthost;
        const char *mx, *a, *aaaa, *want;
    } cases[] = {
        {"y.example",          false, "10=mx1.y.example 5=mx2.y.example",
         "mx1.y.example: 192.0.2.1; mx2.y.example: 192.0.2.2 192.0.2.3",                                         "",
         "mx2.y.example [192.0.2.2]:25, mx2.y.example [192.0.2.3]:25, "
         "mx1.y.example [192.0.2.1]:25"                                                                                                                                                      },
        {"Y.Example",          false, "10=MX.y.example",                              "mx.y.example: 192.0.2.1",
         "mx.y.example: 2001:db8::1",                                                                                            "mx.y.example [192.0.2.1]:25, mx.y.example [2001:db8::1]:25"},
        {"y.example",          false, "10=mx.y.example 20=mx.y.example",
         "mx.y.example: 192.0.2.1",                                                                              "",             "mx.y.example [192.0.2.1]:25"                               },
 // No MX: the domain itself. Null MX, no domain, no answer.
        {"y.example",          false, "-",                                            "y.example: 192.0.2.1",    "",
         "y.example [192.0.2.1]:25"                                                                                                                                                          },
        {"y.example",          false, "-",                                            "y.example: -",            "y.example: -",
         "refused 5.4.4 domain-no-mail"                                                                                                                                                      },
        {"y.example",          false, "-",                                            "y.example: !",            "y.example: -",
         "later 4.4.3 dns-trouble"                                                                                                                                                           },
        {"y.example",          false, "-",                                            "",                        "",             "refused 5.1.2 domain-unknown"                              },
        {"y.example",          false, "0=",                                           "",                        "",             "refused 5.1.10 domain-no-mail"                             },
        {"y.example",          false, "0= 10=mx.y.example",                           "mx.y.example: 192.0.2.1",
         "",                                                                                                                     "mx.y.example [192.0.2.1]:25"                               },
        {"y.example",          false, "?",                                            "",                        "",             "refused 5.1.2 domain-unknown"                              },
        {"y.example",          false, "!",                                            "",                        "",             "later 4.4.3 dns-trouble"                                   },
 // MX hosts without addresses: one is enough; trouble may pass.
        {"y.example",          false, "5=gone.example 10=mx.y.example",
         "mx.y.example: 192.0.2.1",                                                                              "",             "mx.y.example [192.0.2.1]:25"                               },
        {"y.example",          false, "5=gone.example 10=gone2.example",              "",                        "",
         "refused 5.4.4 domain-no-mail"                                                                                                                                                      },
        {"y.example",          false, "5=gone.example 10=mx.y.example",
         "mx.y.example: !",                                                                                      "",             "later 4.4.3 dns-trouble"                                   },
        {"y.example",          false, "5=sick.example 10=mx.y.example",
         "sick.example: !; mx.y.example: 192.0.2.1",                                                             "",
         "mx.y.example [192.0.2.1]:25"                                                                                                                                                       },
 // This server among them: what is better stays, the rest would loop.
        {"y.example",          false, "5=mx.y.example 10=me.example 20=b.y.example",
         "mx.y.example: 192.0.2.1; b.y.example: 192.0.2.2",                                                      "",
         "mx.y.example [192.0.2.1]:25"                                                                                                                                                       },
        {"y.example",          false, "10=me.example 10=mx.y.example 20=b.y.example",
         "mx.y.example: 192.0.2.1; b.y.example: 192.0.2.2",                                                      "",
         "refused 5.4.6 loop"                                                                                                                                                                },
        {"y.example",          false, "10=mx.y.example 20=other.example",
         "mx.y.example: 192.0.2.1; other.example: 192.0.2.99",                                                   "",
         "mx.y.example [192.0.2.1]:25"                                                                                                                                                       },
        {"y.example",          false, "10=other.example 20=mx.y.example",
         "mx.y.example: 192.0.2.1; other.example: 192.0.2.5 192.0.2.99",                                         "",
         "refused 5.4.6 loop"                                                                                                                                                                },
        {"y.example",          false, "5=gone.example 10=me.example",                 "",                        "",
         "refused 5.4.6 loop"                                                                                                                                                                },
        {"me.example",         false, "-",                                            "me.example: 192.0.2.7",   "",
         "refused 5.4.6 loop"                                                                                                                                                                },
        {"y.example",          false, "-",                                            "y.example: 192.0.2.99",   "",
         "refused 5.4.6 loop"                                                                                                                                                                },
 // Hosts as they stand; their trouble is no reason to refuse mail.
        {"out.example",        true,  NULL,                                           "out.example: 192.0.2.1",  "",
         "out.example [192.0.2.1]:25"                                                                                                                                                        },
        {"out.example:587",    true,  NULL,                                           "out.example: 192.0.2.1",
         "out.example: 2001:db8::1",                                                                                             "out.example [192.0.2.1]:587, out.example [2001:db8::1]:587"},
        {"192.0.2.7:2525",     true,  NULL,                                           "",                        "",             "[192.0.2.7]:2525"                                          },
        {"192.0.2.7",          true,  NULL,                                           "",                        "",             "[192.0.2.7]:25"                                            },
        {"[2001:db8::1]:2525", true,  NULL,                                           "",                        "",             "[2001:db8::1]:2525"                                        },
        {"192.0.2.99",         true,  NULL,                                           "",                        "",             "later 4.4.6 loop"                                          },
        {"192.0.2.99:26",      true,  NULL,                                           "",                        "",             "[192.0.2.99]:26"                                           },
        {"out.example",        true,  NULL,                                           "",                        "",             "later 4.1.2 domain-unknown"                                },
        {"out.example",        true,  NULL,                                           "out.example: !",          "",
         "later 4.4.3 dns-trouble"                                                                                                                                                           },
        {"[192.0.2.7]",        false, NULL,                                           "",                        "",             "[192.0.2.7]:25"                                            },
        {"[IPv6:2001:db8::1]", false, NULL,                                           "",                        "",             "[2001:db8::1]:25"                                          },
        {"[192.0.2.99]",       false, NULL,                                           "",                        "",             "refused 5.4.6 loop"                                        },
        {"[192.0.2.7",         false, NULL,                                           "",                        "",             "refused 5.1.2 domain-unknown"                              },
        {"192.0.2.7",          false, "?",                                            "",                        "",             "refused 5.1.2 domain-unknown"                              },
        {"y.example:0",        true,  NULL,                                           "",                        "",             "later 4.1.2 domain-unknown"                                },
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct route r;
        struct buf got = {0};
        struct dns_answer answer;

        route_init(&r, str_from(cases[i].destination), cases[i].smarthost, 25,
                   i + 1);
        if (r.need == ROUTE_NEEDS_MX) {
            assert_non_null(cases[i].mx);
            make_answer(&r.arena, str_from(cases[i].mx), &answer);
            route_take_mx(&r, &self, &answer);
        }
        if (r.need == ROUTE_NEEDS_ADDRESSES) {
            for (size_t h = 0; h < r.n_hosts; h++) {
                struct str name = r.hosts[h].name;
                if (r.hosts[h].n > 0) // an address as it stands
                    continue;
                make_answer(&r.arena, look_up(str_from(cases[i].a), name),
                            &answer);
                route_take_address(&r, h, &answer);
                make_answer(&r.arena, look_up(str_from(cases[i].aaaa), name),
                            &answer);
                route_take_address(&r, h, &answer);
            }
            route_finish(&r, &self);
        }
        assert_int_equal(r.need, ROUTE_KNOWN);
        describe(&r, &got);
        if (strcmp(buf_cstr(&got), cases[i].want) != 0)
            fail_msg("case %zu, %s: \"%s\", wanted \"%s\"", i,
                     cases[i].destination, buf_cstr(&got), cases[i].want);
        buf_fini(&got);
        route_fini(&r);
    }
}

/* Equal preferences share the load: each of three comes first sometimes, and
 * never behind a worse one. */
static void
fairness(void **state)
{
    size_t first[3] = {0};
    (void)state;

    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct route r;
        struct dns_answer mx;
        route_init(&r, STR("y.example"), false, 25, seed * 0x9E3779B97F4A7C15U);
        make_answer(&r.arena, STR("10=a 10=b 20=d 10=c"), &mx);
        route_take_mx(&r, &self, &mx);
        assert_int_equal(r.n_hosts, 4);
        assert_true(str_eq(r.hosts[3].name, STR("d")));
        first[r.hosts[0].name.p[0] - 'a']++;
        route_fini(&r);
    }
    for (size_t i = 0; i < 3; i++)
        assert_in_range(first[i], 60, 140);
}

static void
limits(void **state)
{
    struct route r;
    struct dns_record records[100];
    struct dns_answer mx = {.records = records, .n = 100};
    char names[100][8];
    (void)state;

    for (size_t i = 0; i < 100; i++) {
        (void)snprintf(names[i], sizeof names[i], "h%zu", i);
        records[i] = (struct dns_record){.preference = (uint16_t)(100 - i),
                                         .text = str_from(names[i])};
    }
    route_init(&r, STR("y.example"), false, 25, 1);
    route_take_mx(&r, &self, &mx);
    assert_int_equal(r.n_hosts, ROUTE_HOSTS_MAX);
    assert_true(str_eq(r.hosts[0].name, STR("h99")));
    for (size_t i = 0; i < 100; i++)
        records[i].text = STR("192.0.2.1");
    for (size_t i = 0; i < r.n_hosts; i++)
        route_take_address(&r, i, &mx);
    route_finish(&r, &self);
    assert_int_equal(r.n_targets, ROUTE_TARGETS_MAX);
    route_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions),
        cmocka_unit_test(fairness),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests_name("send/route", tests, NULL, NULL);
}
