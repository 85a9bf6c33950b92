/* SPDX-License-Identifier: ISC */
/* The resolver on a real loop against a real server, tests/system/dnsserver.py
 * (argument 1: the interpreter, 2: the script). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "os/dns.h"

static const char records[] = "example.net MX 10 mx1.example.net\n"
                              "example.net MX 20 MX2.example.net\n"
                              "nomail.example MX 0 .\n"
                              "mx1.example.net A 127.0.0.1\n"
                              "mx1.example.net AAAA ::1\n"
                              "www.example.net CNAME mx1.example.net\n"
                              "inner.test A 127.0.0.9\n"
                              "broken.example BROKEN\n"
                              "silent.example SILENT\n"
                              "\n";

static const char *interpreter, *script;
static int to_server = -1, from_server = -1;
static pid_t server;
static struct str address; /* "127.0.0.1@PORT" */
static struct arena arena;

static int
start_server(void **state)
{
    int in[2], out[2];
    char port[16] = "";
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
    assert_int_equal(write(to_server, records, sizeof records - 1),
                     sizeof records - 1);
    assert_true(read(out[0], port, sizeof port - 1) > 1);
    from_server = out[0]; // kept open: it may still write the line's end
    address = arena_printf(&arena, "127.0.0.1@%d", atoi(port));
    return 0;
}

static int
stop_server(void **state)
{
    (void)state;
    (void)close(to_server);
    (void)waitpid(server, NULL, 0);
    (void)close(from_server);
    arena_fini(&arena);
    return 0;
}

/* One question a case; all are asked at once. */
struct question {
    const char *name;
    enum dns_type type;
    const char *want;
    struct loop *loop;
    size_t *open;
    char *got;
};

static void
on_answer(void *ctx, const struct dns_answer *answer)
{
    static const char *const names[] = {"ok", "no data", "no name", "trouble"};
    struct question *q = ctx;
    struct buf text = {0};

    buf_addf(&text, "%s", names[answer->result]);
    for (size_t i = 0; i < answer->n; i++)
        buf_addf(&text, " %u=%.*s", answer->records[i].preference,
                 STR_ARG(answer->records[i].text));
    q->got = strdup(buf_cstr(&text));
    buf_fini(&text);
    if (--*q->open == 0)
        loop_stop(q->loop);
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The order of records is the server's and the cache's. */
static void
sort_words(char *text)
{
    char *words[8], *rest = text, copy[200] = "";
    size_t n = 0;
    for (char *w; n < 8 && (w = strtok_r(rest, " ", &rest)) != NULL;)
        words[n++] = w;
    qsort(words, n, sizeof *words, compare);
    for (size_t i = 0; i < n; i++) {
        (void)strncat(copy, words[i], sizeof copy - strlen(copy) - 2);
        (void)strncat(copy, " ", 2);
    }
    (void)memcpy(text, copy, strlen(copy));
    text[strlen(copy) - 1] = '\0';
}

static void
ask_all(struct loop *l, struct dns *d, struct question *q, size_t n)
{
    size_t open = n;
    for (size_t i = 0; i < n; i++) {
        q[i].loop = l;
        q[i].open = &open;
        assert_non_null(
            dns_ask(d, str_from(q[i].name), q[i].type, on_answer, &q[i]));
        assert_null(q[i].got);
    }
    loop_run(l);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(q[i].got);
        sort_words(q[i].got);
        assert_string_equal(q[i].got, q[i].want);
        free(q[i].got);
        q[i].got = NULL;
    }
}

static void
questions(void **state)
{
    char name[300];
    struct question q[] = {
        {.name = "example.net",
         .type = DNS_MX,
         .want = "10=mx1.example.net 20=mx2.example.net ok"                   },
        {.name = "nomail.example",  .type = DNS_MX,   .want = "0= ok"         },
        {.name = "mx1.example.net", .type = DNS_MX,   .want = "data no"       },
        {.name = "mx1.example.net", .type = DNS_A,    .want = "0=127.0.0.1 ok"},
        {.name = "MX1.Example.NET", .type = DNS_AAAA, .want = "0=::1 ok"      },
        {.name = "www.example.net", .type = DNS_A,    .want = "0=127.0.0.1 ok"},
        {.name = "inner.test",      .type = DNS_A,    .want = "0=127.0.0.9 ok"},
        {.name = "missing.example", .type = DNS_MX,   .want = "name no"       },
        {.name = "broken.example",  .type = DNS_A,    .want = "trouble"       },
        {.name = "silent.example",  .type = DNS_A,    .want = "trouble"       },
        {.name = name,              .type = DNS_A,    .want = "name no"       },
    };
    struct err e;
    struct loop *l = loop_new();
    struct dns *d = dns_new(l, &address, 1, 1500, &e);
    (void)state;

    (void)memset(name, 'x', sizeof name); // no label is that long
    name[sizeof name - 1] = '\0';
    if (d == NULL)
        fail_msg("%s", e.text);
    ask_all(l, d, q, sizeof q / sizeof *q);
    // Now from the cache, where libunbound calls back at once: still from the
    // loop.
    ask_all(l, d, q, 9);
    dns_free(d);
    loop_free(l);
}

static void
on_never(void *ctx, const struct dns_answer *answer)
{
    (void)ctx;
    (void)answer;
    fail();
}

static void
on_stop(void *ctx)
{
    loop_stop(ctx);
}

static void
cancelling(void **state)
{
    struct err e;
    struct loop *l = loop_new();
    struct dns *d = dns_new(l, &address, 1, 5000, &e);
    struct dns_query *q[4];
    struct timer *t = timer_new(l, on_stop, l);
    (void)state;

    assert_non_null(d);
    q[0] = dns_ask(d, STR("example.net"), DNS_MX, on_never, NULL);
    q[1] = dns_ask(d, STR("silent.example"), DNS_MX, on_never, NULL);
    q[2] = dns_ask(d, STR("localhost"), DNS_A, on_never, NULL); // known at once
    q[3] = dns_ask(d, STR("a..b"), DNS_A, on_never, NULL);
    for (size_t i = 0; i < 4; i++)
        dns_cancel(q[i]);
    (void)dns_ask(d, STR("silent.example"), DNS_A, on_never, NULL);
    timer_set(t, loop_now(l).mono_ms + 300);
    loop_run(l);
    timer_free(t);
    dns_free(d); // with one abandoned and one open
    loop_free(l);
}

static void
bad_servers(void **state)
{
    struct err e = {0};
    struct loop *l = loop_new();
    (void)state;
    assert_null(dns_new(l, &STR("nonsense"), 1, 1000, &e));
    assert_non_null(strstr(e.text, "nonsense"));
    loop_free(l);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions),
        cmocka_unit_test(cancelling),
        cmocka_unit_test(bad_servers),
    };
    if (argc < 3)
        return 77;
    interpreter = argv[1];
    script = argv[2];
    return cmocka_run_group_tests_name("os/dns", tests, start_server,
                                       stop_server);
}
