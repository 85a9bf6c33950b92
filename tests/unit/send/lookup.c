/* SPDX-License-Identifier: ISC */
/* Routes by a real name server (argument 1: interpreter, 2: the script). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "send/lookup.h"

static const char records[] = "y.example MX 10 mx1.y.example\n"
                              "y.example MX 5 mx2.y.example\n"
                              "mx1.y.example A 192.0.2.1\n"
                              "mx2.y.example A 192.0.2.2\n"
                              "mx2.y.example AAAA 2001:db8::2\n"
                              "plain.example A 192.0.2.3\n"
                              "null.example MX 0 .\n"
                              "sick.example BROKEN\n"
                              "half.example MX 5 sick.example\n"
                              "half.example MX 10 mx1.y.example\n"
                              "mute.example SILENT\n"
                              "ours.example MX 5 me.example\n"
                              "\n";

static const char *interpreter, *script;
static int to_server = -1, from_server = -1;
static pid_t server;
static struct arena arena;
static struct loop *loop;
static struct dns *dns;

static bool
never(void *ctx, struct str address, uint16_t port)
{
    (void)ctx;
    (void)address;
    (void)port;
    return false;
}

static const struct route_self self = {
    .hostname = {"me.example", 10},
      .is_self = never
};

static int
start_server(void **state)
{
    int in[2], out[2];
    char port[16] = "";
    struct str address;
    struct err e;
    (void)state;

    assert_int_equal(pipe(in) | pipe(out), 0);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        (void)close(in[1]);
        (void)close(out[0]);
        (void)execlp(interpreter, interpreter, script, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    to_server = in[1];
    from_server = out[0];
    assert_int_equal(write(to_server, records, sizeof records - 1),
                     sizeof records - 1);
    assert_true(read(from_server, port, sizeof port - 1) > 1);
    address = arena_printf(&arena, "127.0.0.1@%d", atoi(port));
    loop = loop_new();
    dns = dns_new(loop, &address, 1, 1500, &e);
    assert_non_null(dns);
    return 0;
}

static int
stop_server(void **state)
{
    (void)state;
    dns_free(dns);
    loop_free(loop);
    (void)close(to_server);
    (void)waitpid(server, NULL, 0);
    (void)close(from_server);
    arena_fini(&arena);
    return 0;
}

static void
on_known(void *ctx)
{
    if (--*(size_t *)ctx == 0)
        loop_stop(loop);
}

/* All at once, as destinations do. */
static void
routes(void **state)
{
    static const struct {
        const char *destination;
        bool smarthost;
        const char *want;
    } cases[] = {
        {"y.example",        false,
         "mx2.y.example [192.0.2.2]:25 mx2.y.example [2001:db8::2]:25 "
         "mx1.y.example [192.0.2.1]:25 "                           },
        {"plain.example",    false, "plain.example [192.0.2.3]:25 "},
        {"half.example",     false, "mx1.y.example [192.0.2.1]:25 "},
        {"null.example",     false, "domain-no-mail"               },
        {"gone.example",     false, "domain-unknown"               },
        {"sick.example",     false, "dns-trouble"                  },
        {"mute.example",     false, "dns-trouble"                  },
        {"ours.example",     false, "loop"                         },
        {"mx1.y.example:26", true,  "mx1.y.example [192.0.2.1]:26 "},
        {"sick.example",     true,  "dns-trouble"                  },
        {"[192.0.2.9]",      false, "[192.0.2.9]:25 "              },
    };
    enum { N = sizeof cases / sizeof *cases };
    struct route r[N];
    size_t open = 0;
    (void)state;

    for (size_t i = 0; i < N; i++) {
        route_init(&r[i], str_from(cases[i].destination), cases[i].smarthost,
                   25, i);
        open += lookup_start(dns, &r[i], &self, on_known, &open) != NULL;
    }
    assert_int_equal(open, N - 1);
    loop_run(loop);
    for (size_t i = 0; i < N; i++) {
        struct buf got = {0};
        assert_int_equal(r[i].need, ROUTE_KNOWN);
        for (size_t j = 0; j < r[i].n_targets; j++)
            buf_addf(&got, "%.*s ", STR_ARG(r[i].targets[j].remote));
        buf_add(&got, r[i].verdict.reason);
        assert_string_equal(buf_cstr(&got), cases[i].want);
        buf_fini(&got);
        route_fini(&r[i]);
    }
}

static void
cancelled(void **state)
{
    struct route r;
    size_t open = 1;
    (void)state;
    route_init(&r, STR("mute.example"), false, 25, 1);
    struct lookup *l = lookup_start(dns, &r, &self, on_known, &open);
    assert_non_null(l);
    lookup_cancel(l);
    assert_int_equal(open, 1);
    route_fini(&r);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes),
        cmocka_unit_test(cancelled),
    };
    if (argc < 3)
        return 77;
    interpreter = argv[1];
    script = argv[2];
    return cmocka_run_group_tests_name("send/lookup", tests, start_server,
                                       stop_server);
}
