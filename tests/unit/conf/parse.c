/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/options.h"

#define HOST "hostname = \"mx1.example.com\"\n"
#define CERT "tls { certificate = \"c.pem\" key = \"k.pem\" }\n"

/* The configuration of the design document, word for word. */
static const char sample[] =
    "hostname = \"mx1.example.com\"\n"
    "state    = \"/var/lib/gatepost\"    # spool, directory, history\n"
    "run-as   = \"accounts\"             # or \"caller\"\n"
    "\n"
    "listen \"mx\"          { address = {\"*:25\"} }\n"
    "listen \"submission\"  { address = {\"*:587\"}  auth = required }\n"
    "listen \"submissions\" { address = {\"*:465\"}  auth = required  "
    "tls = implicit }\n"
    "\n"
    "tls { certificate = \"/etc/gatepost/cert.pem\"  "
    "key = \"/etc/gatepost/key.pem\" }\n"
    "\n"
    "domain \"example.com\" { deliver = "
    "\"maildir:/var/mail/%{domain}/%{user}\" }\n"
    "\n"
    "relay {\n"
    "    networks  = {\"127.0.0.0/8\", \"::1\"}\n"
    "    # smarthost = \"smtp.isp.example:587\"\n"
    "}\n"
    "\n"
    "reply \"unknown-recipient\" { text = "
    "\"553 sorry, no mailbox here by that name (#5.1.1)\" }\n";

static struct conf *
parse_good(const char *text)
{
    struct conf_result r = conf_parse(str_from(text), "dir/test.conf");
    for (size_t i = 0; i < r.n_problems; i++)
        print_error("%.*s\n", STR_ARG(r.problems[i].text));
    assert_int_equal(r.n_problems, 0);
    assert_non_null(r.conf);
    arena_fini(&r.arena);
    return r.conf;
}

static void
assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_from(want)))
        fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), want);
}

static void
sample_is_read(void **state)
{
    struct conf *c = parse_good(sample);

    (void)state;
    assert_str(c->hostname, "mx1.example.com");
    assert_str(c->state, "/var/lib/gatepost");
    assert_false(c->run_as_caller);
    assert_int_equal(c->n_listens, 3);
    assert_str(c->listens[0].name, "mx");
    assert_str(c->listens[0].addresses[0], "*:25");
    assert_false(c->listens[0].auth_required);
    assert_true(c->listens[1].auth_required);
    assert_false(c->listens[1].tls_implicit);
    assert_true(c->listens[2].auth_required && c->listens[2].tls_implicit);
    assert_str(c->tls.key, "/etc/gatepost/key.pem");
    assert_int_equal(c->n_domains, 1);
    assert_str(c->domains[0].deliver, "maildir:/var/mail/%{domain}/%{user}");
    assert_int_equal(c->relay.n_networks, 2);
    assert_str(c->relay.networks[1], "::1");
    assert_int_equal(c->relay.smarthost.n, 0);
    assert_int_equal(c->n_replies, 1);
    assert_str(c->replies[0].reason, "unknown-recipient");
    conf_free(c);
}

static void
defaults_are_safe(void **state)
{
    struct conf *c = parse_good(HOST "domain \"Example.COM\" {}");

    (void)state;
    assert_str(c->state, "/var/lib/gatepost");
    assert_str(c->deliver, "maildir:/var/lib/gatepost/mail/%{domain}/%{user}");
    assert_str(c->domains[0].name, "example.com");
    assert_str(c->domains[0].deliver,
               "maildir:/var/lib/gatepost/mail/%{domain}/%{user}");
    assert_int_equal(c->relay.n_networks, 0);
    assert_int_equal(c->queue.retry_min_ms, 5 * 60 * 1000);
    assert_int_equal(c->queue.retry_max_ms, 4 * 3600 * 1000);
    assert_int_equal(c->queue.give_up_ms, 5 * 24 * 3600 * 1000);
    assert_int_equal(c->send.port, 25);
    assert_true(c->receive.max_recipients >= 1000);
    assert_str(c->send.helo, "mx1.example.com");
    assert_true(c->mailbox.syncfs);
    conf_free(c);
}

static void
values_are_read(void **state)
{
    struct conf *c = parse_good(
        HOST CERT
        "/* a comment\n over lines */ run-as = caller // why not\n"
        "log = json\r\n"
        "listen \"a-b\" { address = { \"[::1]:25\", # first\n"
        "  \"127.0.0.1:2525\" } address += { \"*:26\" } }\n"
        "relay { smarthost = '192.0.2.1:587' smarthost-user = \"x\\\"y\\$z\"\n"
        "  smarthost-password-file = secret }\n"
        "spool { segment-size = 2M reserve = 70000 }\n"
        "queue { retry-min = 200ms retry-max = 90s give-up = 1d }\n"
        "mailbox { sync = filesystem workers = 64 }\n"
        "dns { servers = {\"127.0.0.1@5300\", \"::1\"} }\n");

    (void)state;
    assert_true(c->run_as_caller);
    assert_true(c->log_json);
    assert_int_equal(c->listens[0].n_addresses, 3);
    assert_str(c->listens[0].addresses[1], "127.0.0.1:2525");
    assert_str(c->tls.certificate, "dir/c.pem");
    assert_str(c->relay.smarthost, "192.0.2.1:587");
    assert_str(c->relay.smarthost_user, "x\"y$z");
    assert_str(c->relay.smarthost_password_file, "dir/secret");
    assert_int_equal(c->spool.segment_size, 2 << 20);
    assert_int_equal(c->spool.reserve, 70000);
    assert_int_equal(c->queue.retry_min_ms, 200);
    assert_int_equal(c->queue.retry_max_ms, 90000);
    assert_true(c->mailbox.syncfs);
    assert_int_equal(c->mailbox.workers, 64);
    assert_int_equal(c->dns.n_servers, 2);
    conf_free(c);
}

/* Each must be named with its line, what is wrong and what was expected. */
static void
problems_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* begins with the line number */
    } cases[] = {
        {"",                                                              "1: hostname is missing"                                      },
        {"# nothing\n\n",                                                 "1: hostname is missing"                                      },
        {"hostnam = \"a.example\"\n",                                     "1: unknown key "
                                      "\"hostnam\", did you mean hostname?"                        },
        {"\nzzzzzz = 1\n",                                                "2: unknown key \"zzzzzz\", expected one of "
                           "hostname"                                                                         },
        {HOST "relay { netwroks = {} }",
         "2: unknown key \"netwroks\" in section relay, did you mean "
         "networks?"                                                                                                                    },
        {HOST "\nhostname = \"b.example\"",
         "3: hostname: given twice, first on line 1"                                                                                    },
        {"hostname = \"-x-\"",
         "1: hostname: expected a host name such as \"mx1.example.com\", found "
         "\"-x-\""                                                                                                                      },
        {"hostname = \"192.0.2.1\"",                                      "1: hostname: expected a host name"                           },
        {"hostname \"a.example\"",
         "1: missing equal sign after option 'hostname'"                                                                                },
        {HOST "state =\n",                                                "3: premature end of file"                                    },
        {HOST "}",                                                        "2: unexpected closing brace"                                 },
        {HOST "relay {",                                                  "2: this { is never closed"                                   },
        {HOST "state = \"var\"",
         "2: state: expected an absolute path such as \"/var/lib/gatepost\", "
         "at most 90 octets and without %, found \"var\""                                                                               },
        {HOST "state = \"/var",                                           "2: a string without an end"                                  },
        {HOST "state = \"/x/${HOME}\"",                                   "2: ${...} is not replaced here"                              },
        {HOST "/* x\n",                                                   "2: this comment has no end"                                  },
        {HOST "run-as = root",
         "2: run-as: expected accounts or caller, found \"root\""                                                                       },
        {HOST "postmaster = \"ann\"",                                     "2: postmaster: expected a mail address"                      },
        {HOST "listen { address = {\"*:25\"} }",
         "2: missing title for section 'listen'"                                                                                        },
        {HOST "listen \"mx\" { }\n",
         "2: listen \"mx\": address is missing, expected"                                                                               },
        {HOST "listen \"mx\" {\n address = {\"*:25\",\n\"*:0\"} }",
         "4: listen \"mx\": address: expected an address with a port"                                                                   },
        {HOST "listen \"mx\" { address = {\"*:70000\"} }",                "2: listen \"mx\": "
                                                           "address: expected"},
        {HOST "listen \"mx\" { address = {*:25} }",
         "2: * outside quotes, expected a string such as \"*:25\""                                                                      },
        {HOST "listen \"a\" { address = {\"*:25\"} }\n"
              "listen \"b\" { address = {\"*:25\"} }",           "3: listen \"b\": *:25 is there twice"                        },
        {HOST "listen \"a\" { address = {\"*:25\"} }\n"
              "listen \"a\" { address = {\"*:26\"} }",           "3: found duplicate title 'a'"                                },
        {HOST "listen \"submit\" { address = {\"*:25\"} }",
         "2: listen \"submit\": expected a name"                                                                                        },
        {HOST "\nlisten \"s\" { address = {\"*:587\"} auth = required }",
         "3: listen \"s\": auth = required needs a certificate"                                                                         },
        {HOST "listen \"s\" { address = {\"*:587\"} tls = implicit }",
         "2: listen \"s\": tls = implicit needs a certificate"                                                                          },
        {HOST CERT "listen \"s\" { address = {\"*:587\"} auth = yes }",
         "3: listen \"s\": auth: expected no or required, found \"yes\""                                                                },
        {HOST "tls { certificate = \"c.pem\" }",                          "2: tls: key is missing"                                      },
        {HOST "domain \"a b\" {}",                                        "2: domain \"a b\": expected a domain"                        },
        {HOST "domain \"a.example\" {}\ndomain \"A.example\" {}",
         "3: domain \"A.example\" is there twice"                                                                                       },
        {HOST "domain \"a.example\" { deliver = \"/var/mail\" }",
         "2: domain \"a.example\": deliver: expected \"maildir:\" and"                                                                  },
        {HOST "deliver = \"maildir:/m/%{usr}\"",                          "2: deliver: expected"                                        },
        {HOST "deliver = \"maildir:/m/../%{user}\"",                      "2: deliver: expected"                                        },
        {HOST "relay { networks = {\"10.0.0.0/33\"} }",
         "2: relay.networks: expected a network"                                                                                        },
        {HOST "relay { networks = {\"a.example\"} }",                     "2: relay.networks: "
                                                      "expected a network"         },
        {HOST "relay { smarthost = \"a b\" }",                            "2: relay.smarthost: expected"                                },
        {HOST "relay { smarthost-user = x }",
         "2: relay: smarthost-password-file is missing"                                                                                 },
        {HOST "reply \"unknown-recipent\" { text = \"553 no\" }",
         "2: reply \"unknown-recipent\": no such reason, did you mean "
         "\"unknown-recipient\""                                                                                                        },
        {HOST "reply \"delivered\" { text = \"553 no\" }",
         "2: reply \"delivered\": that is no failure and never replied"                                                                 },
        {HOST "reply \"unknown-recipient\" { }",
         "2: reply \"unknown-recipient\": text is missing"                                                                              },
        {HOST "reply \"unknown-recipient\" { text = \"250 welcome\" }",
         "2: reply \"unknown-recipient\": text: expected printable ASCII"                                                               },
        {HOST "reply \"unknown-recipient\" { text = \"no\" }",
         "2: reply \"unknown-recipient\": text: expected printable ASCII"                                                               },
        {HOST "reply \"unknown-recipient\" { text = \"553 a\\nb\" }",
         "2: reply \"unknown-recipient\": text: a control character"                                                                    },
        {HOST "queue { retry-min = 5 }",
         "2: queue.retry-min: expected duration from 100ms to 30d, found "
         "\"5\""                                                                                                                        },
        {HOST "queue { retry-min = 5h\nretry-max = 4h }",
         "3: queue.retry-max: expected at least retry-min"                                                                              },
        {HOST "spool { segment-size = 1K }",
         "2: spool.segment-size: expected size from 1M to 1G, found \"1K\""                                                             },
        {HOST "send { port = 0 }",
         "2: send.port: expected port from 1 to 65535, found \"0\""                                                                     },
        {HOST "send { workers = 18446744073709551617 }",
         "2: send.workers: expected number from 1 to 64"                                                                                },
        {HOST "dns { servers = {\"ns.example\"} }",
         "2: dns.servers: expected the "
         "address of a name server"                                                                                                     },
        {HOST "tls|key = \"x\"",                                          "2: key: expected inside its section"                         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf_result r = conf_parse(str_from(cases[i].text), "x.conf");
        struct str got = r.n_problems > 0 ? r.problems[0].text : STR_EMPTY;
        struct str rest = got;
        if (!str_skip(&rest, STR("x.conf:")) ||
            !str_starts(rest, str_from(cases[i].want)))
            fail_msg("case %zu:\n%s\ngot:  %.*s\nwant: x.conf:%s", i,
                     cases[i].text, STR_ARG(got), cases[i].want);
        assert_null(r.conf);
        arena_fini(&r.arena);
    }
}

static void
all_problems_at_once(void **state)
{
    struct conf_result r = conf_parse(
        STR("state = \"x\"\nrun-as = y\nqueue { give-up = soon }\n"), "x.conf");

    (void)state;
    assert_null(r.conf);
    assert_int_equal(r.n_problems, 4);
    assert_int_equal(r.problems[0].line, 1);
    assert_int_equal(r.problems[1].line, 2);
    assert_int_equal(r.problems[2].line, 3);
    arena_fini(&r.arena);
}

/* A broken text must leave nothing behind in libConfuse's lexer. */
static void
recovers_after_problems(void **state)
{
    static const char *const broken[] = {
        "a = \"x", "a = 'x", "/* x", "{", "hostname = \"\\999\"", "\\"};
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct conf_result r = conf_parse(str_from(broken[i]), "x.conf");
        assert_true(r.n_problems > 0);
        arena_fini(&r.arena);
        conf_free(parse_good(sample));
    }
}

static void
prints_what_it_reads(void **state)
{
    struct conf *c = parse_good(sample);
    struct buf once = {0}, again = {0};

    (void)state;
    conf_print(c, ROLE_NONE, &once);
    struct conf *d = parse_good(buf_cstr(&once));
    conf_print(d, ROLE_NONE, &again);
    assert_str(buf_str(&again), buf_cstr(&once));
    assert_int_equal(d->n_listens, 3);
    buf_fini(&once);
    buf_fini(&again);
    conf_free(c);
    conf_free(d);
}

/* Paths of lists are relative to the config file; only directory learns how a
 * database is reached. */
static void
lists(void **state)
{
    struct conf_result r = conf_parse(
        STR(HOST "gate {\nbadmailfrom = \"file:lists/bad\"\n"
                 "validrcptto = \"sqlite:v.db?SELECT 1 FROM v WHERE a = ?\"\n"
                 "rcpthosts = \"postgres:host=db password=secret\" }\n"),
        "/etc/gatepost/gatepost.conf");
    struct conf_list l;
    (void)state;

    assert_non_null(r.conf);
    assert_true(conf_list_at(r.conf, 0, &l));
    assert_int_equal(l.id, LIST_BADMAILFROM);
    assert_str(l.source, "file:/etc/gatepost/lists/bad");
    assert_true(conf_list_at(r.conf, 2, &l));
    assert_int_equal(l.id, LIST_VALIDRCPTTO);
    assert_str(l.source,
               "sqlite:/etc/gatepost/v.db?SELECT 1 FROM v WHERE a = ?");
    assert_false(conf_list_at(r.conf, 3, &l));

    struct buf b = {0};
    conf_print(r.conf, ROLE_RECEIVE, &b);
    assert_true(str_find(buf_str(&b), STR("secret")) < 0);
    struct conf *d = parse_good(buf_cstr(&b));
    assert_str(d->gate.rcpthosts, "postgres:");
    assert_str(d->gate.validrcptto, "sqlite:/etc/gatepost/v.db");
    assert_str(d->gate.badmailfrom, "file:/etc/gatepost/lists/bad");
    buf_clear(&b);
    conf_free(d);
    conf_print(r.conf, ROLE_DIRECTORY, &b);
    d = parse_good(buf_cstr(&b));
    assert_str(d->gate.rcpthosts, "postgres:host=db password=secret");
    buf_clear(&b);
    conf_free(d);
    // The queue knows of the list of mailboxes alone, send of none.
    conf_print(r.conf, ROLE_QUEUE, &b);
    d = parse_good(buf_cstr(&b));
    assert_str(d->gate.validrcptto, "sqlite:/etc/gatepost/v.db");
    assert_int_equal(d->gate.rcpthosts.n + d->gate.badmailfrom.n, 0);
    buf_clear(&b);
    conf_free(d);
    conf_print(r.conf, ROLE_SEND, &b);
    assert_true(str_find(buf_str(&b), STR("gate {")) < 0);
    buf_fini(&b);
    arena_fini(&r.arena);
    conf_free(r.conf);
}

static void
rooms_get_their_slice(void **state)
{
    struct conf *c = parse_good(
        HOST CERT "relay { smarthost = \"a.example\" smarthost-user = u\n"
                  "smarthost-password-file = \"/secret\" }\n"
                  "listen \"s\" { address = \"*:587\" auth = required }\n"
                  "domain \"b.example\" {}\n");

    (void)state;
    for (unsigned role = ROLE_RECEIVE; role < ROLE_COUNT; role++) {
        struct buf b = {0};
        conf_print(c, (enum role)role, &b);
        struct conf *d = parse_good(buf_cstr(&b));
        assert_str(d->hostname, "mx1.example.com");
        assert_int_equal(d->n_domains, role == ROLE_DIRECTORY);
        assert_int_equal(d->relay.smarthost_password_file.n > 0,
                         role == ROLE_SEND);
        assert_int_equal(d->tls.key.n > 0, role == ROLE_RECEIVE);
        // send must know this server where an MX leads to it.
        assert_int_equal(d->n_listens > 0,
                         role == ROLE_RECEIVE || role == ROLE_SEND);
        buf_fini(&b);
        conf_free(d);
    }
    conf_free(c);
}

/* A key without help, or whose default it would not accept itself. */
static void
table_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = &option_table[i];
        assert_non_null(o->help);
        assert_ptr_equal(option_find(o->section, str_from(o->name)), o);
        if (o->fallback != NULL && o->check != NULL)
            assert_null(o->check(str_from(o->fallback)));
        if (o->type == OPTION_NUMBER || o->type == OPTION_PORT ||
            o->type == OPTION_SIZE || o->type == OPTION_DURATION)
            assert_non_null(o->fallback);
    }
    struct conf *c = parse_good(HOST);
    assert_true(c->receive.workers >= 1 && c->send.idle_timeout_ms > 0 &&
                c->spool.segment_size > 0 && c->dns.timeout_ms > 0);
    conf_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_is_read),
        cmocka_unit_test(defaults_are_safe),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(problems_are_named),
        cmocka_unit_test(all_problems_at_once),
        cmocka_unit_test(recovers_after_problems),
        cmocka_unit_test(prints_what_it_reads),
        cmocka_unit_test(lists),
        cmocka_unit_test(rooms_get_their_slice),
        cmocka_unit_test(table_is_complete),
    };
    return cmocka_run_group_tests_name("conf/parse", tests, NULL, NULL);
}
