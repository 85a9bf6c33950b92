/* SPDX-License-Identifier: ISC */
/* The stages before a sender is named: connect and hello. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalogue/catalogue.h"
#include "gate/gate.h"

static struct arena arena;
static const struct book book = {
    .ctx = &arena, .hostname = {"MX.ours.example", 15}
};

// clang-format off
static const struct {
    const char *name;
    struct gate_policy policy;
    struct gate_session session;
    enum gate_stage stage;
    const char *want;
} cases[] = {
    {"nothing is limited",          {0},                                       {.connections = 9999, .rate = 9999}, GATE_CONNECT, ""                    },
    {"as many as may",              {.client_connections = 2},                 {.connections = 2},                  GATE_CONNECT, ""                    },
    {"one more",                    {.client_connections = 2},                 {.connections = 3},                  GATE_CONNECT, "too-many-connections"},
    {"of this host",                {.client_connections = 2},                 {.connections = 3, .loopback = true},GATE_CONNECT, ""                    },
    {"of relay.networks",           {.client_connections = 2},                 {.connections = 3, .in_networks = true}, GATE_CONNECT, ""                },
    {"a program here",              {.client_connections = 2},                 {.connections = 3, .local = true},   GATE_CONNECT, ""                    },
    {"too often",                   {.client_rate = 5},                        {.rate = 6},                         GATE_CONNECT, "connection-rate"     },
    {"often enough",                {.client_rate = 5},                        {.rate = 5},                         GATE_CONNECT, ""                    },
    {"early",                       {.greeting_delay_ms = 1},                  {.early = true},                     GATE_CONNECT, "early-talker"        },
    {"early, but nobody waits",     {0},                                       {.early = true},                     GATE_CONNECT, ""                    },
    {"early, on a port for people", {.greeting_delay_ms = 1},                  {.early = true, .auth_required = true}, GATE_CONNECT, ""                 },
    {"patient",                     {.greeting_delay_ms = 1},                  {0},                                 GATE_CONNECT, ""                    },
#define SAYS(text) .helo = {text, sizeof(text) - 1}
    {"a name",                      {0},                                       {SAYS("client.example")},            GATE_HELLO,   ""                    },
    {"a short name",                {0},                                       {SAYS("client")},                    GATE_HELLO,   ""                    },
    {"a name with the root's dot",  {0},                                       {SAYS("client.example.")},           GATE_HELLO,   ""                    },
    {"an international name",       {0},                                       {SAYS("b\xc3\xbc""cher.example")},   GATE_HELLO,   ""                    },
    {"IPv4",                        {0},                                       {SAYS("[192.0.2.1]")},               GATE_HELLO,   ""                    },
    {"IPv6",                        {0},                                       {SAYS("[IPv6:2001:db8::1]")},        GATE_HELLO,   ""                    },
    {"no such IPv4",                {0},                                       {SAYS("[192.0.2.300]")},             GATE_HELLO,   "bad-hello"           },
    {"a bracket",                   {0},                                       {SAYS("[")},                         GATE_HELLO,   "bad-hello"           },
    {"an underscore",               {0},                                       {SAYS("my_laptop")},                 GATE_HELLO,   ""                    },
    {"a blank",                     {0},                                       {SAYS("my laptop")},                 GATE_HELLO,   "bad-hello"           },
    {"an address",                  {0},                                       {SAYS("a@b.example")},               GATE_HELLO,   "bad-hello"           },
    {"a dot",                       {0},                                       {SAYS(".")},                         GATE_HELLO,   "bad-hello"           },
    {"anything goes",               {.hello_any = true},                       {SAYS("my laptop")},                 GATE_HELLO,   ""                    },
    {"our name",                    {0},                                       {SAYS("mx.OURS.example")},           GATE_HELLO,   "own-name-forged"     },
    {"our name and the root",       {0},                                       {SAYS("mx.ours.example.")},          GATE_HELLO,   "own-name-forged"     },
    {"our name, of the house",      {0},                                       {SAYS("mx.ours.example"), .in_networks = true}, GATE_HELLO, ""           },
    {"our name, by a program here", {0},                                       {SAYS("mx.ours.example"), .local = true}, GATE_HELLO, ""                 },
    {"below our name",              {0},                                       {SAYS("a.mx.ours.example")},         GATE_HELLO,   ""                    },
    {"a mail program",              {0},                                       {SAYS("my_laptop"), .auth_required = true}, GATE_HELLO, ""               },
};
// clang-format on

static void
judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gate_facts f = {.policy = &cases[i].policy,
                               .session = &cases[i].session,
                               .book = &book,
                               .arena = &arena};
        assert_int_equal(gate_needs(cases[i].stage, &f), 0);
        struct str reason = gate_judge(cases[i].stage, &f, NULL).reason;
        if (!str_eq(reason, str_from(cases[i].want)))
            fail_msg("%s: \"%.*s\"", cases[i].name, STR_ARG(reason));
        if (reason.n > 0)
            assert_non_null(catalogue_find(reason));
    }
    arena_fini(&arena);
}

static void
clients_refused(void **state)
{
    static const struct {
        enum gate_known known;
        const char *want;
    } answers[] = {
        {GATE_NO,      ""              },
        {GATE_YES,     "client-refused"},
        {GATE_TROUBLE, "list-trouble"  },
    };
    const struct gate_policy policy = {.lists = 1U << LIST_CLIENTS_REFUSED};
    const struct gate_session client = {.client = STR("192.0.2.77")};
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct gate_facts f = {.policy = &policy,
                               .session = &client,
                               .book = &book,
                               .arena = &arena};
        struct str keys[GATE_KEYS_MAX];
        assert_int_equal(gate_needs(GATE_CONNECT, &f),
                         1U << LIST_CLIENTS_REFUSED);
        assert_int_equal(
            gate_keys(&f, (enum gate_lookup)LIST_CLIENTS_REFUSED, keys), 33);
        assert_true(str_eq(keys[0], STR("192.0.2.77")));
        f.answers[LIST_CLIENTS_REFUSED].known = answers[i].known;
        assert_true(str_eq(gate_judge(GATE_CONNECT, &f, NULL).reason,
                           str_from(answers[i].want)));
    }
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge),
        cmocka_unit_test(clients_refused),
    };
    return cmocka_run_group_tests_name("gate/arrival", tests, NULL, NULL);
}
