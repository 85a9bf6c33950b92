/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/log.h"

enum { TIME = 24 };

/* stderr becomes the write end of what is made here. */
struct sink {
    int saved, read_end;
};

static struct sink
redirect(int fds[2])
{
    struct sink s = {dup(STDERR_FILENO), fds[0]};
    (void)dup2(fds[1], STDERR_FILENO);
    (void)close(fds[1]);
    return s;
}

static void
restore(struct sink s)
{
    (void)dup2(s.saved, STDERR_FILENO);
    (void)close(s.saved);
    (void)close(s.read_end);
}

static const char *
read_all(int fd, char *to, size_t cap)
{
    size_t n = 0;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    while (n < cap - 1) {
        ssize_t got = read(fd, to + n, cap - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    to[n] = '\0';
    return to;
}

static void
escaping(void **state)
{
    static const struct {
        const char *value, *text, *json;
    } cases[] = {
        {"plain",       "plain",             "\"plain\""         },
        {"a@b.example", "a@b.example",       "\"a@b.example\""   },
        {"",            "\"\"",              "\"\""              },
        {"a b",         "\"a b\"",           "\"a b\""           },
        {"a=b",         "\"a=b\"",           "\"a=b\""           },
        {"say \"x\"",   "\"say \\\"x\\\"\"", "\"say \\\"x\\\"\"" },
        {"back\\",      "\"back\\\\\"",      "\"back\\\\\""      },
        {"a\r\nb\tc",   "\"a\\r\\nb\\tc\"",  "\"a\\r\\nb\\tc\""  },
        {"\x1b[31m",    "\"\\x1b[31m\"",     "\"\\u001b[31m\""   },
        {"\x7f",        "\"\\x7f\"",         "\"\\u007f\""       },
        {"b\xc3\xbc",   "\"b\xc3\xbc\"",     "\"b\xc3\xbc\""     },
        {"\xc2\x9b",    "\"\\xc2\\x9b\"",    "\"\\ufffd\\ufffd\""},
        {"\xc0\xaf",    "\"\\xc0\\xaf\"",    "\"\\ufffd\\ufffd\""},
        {"\xff",        "\"\\xff\"",         "\"\\ufffd\""       },
        {"\xe2\x82",    "\"\\xe2\\x82\"",    "\"\\ufffd\\ufffd\""},
    };
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct sink s = redirect(fds);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int json = 0; json < 2; json++) {
            char got[512], want[512];
            log_open("room", json, LOG_INFO);
            log_event(LOG_INFO, "event", LOG_S("k", str_from(cases[i].value)),
                      LOG_N("n", -42), LOG_END);
            log_event(LOG_DEBUG, "silent", LOG_END);
            log_flush();
            (void)read_all(fds[0], got, sizeof got);
            if (json) {
                (void)snprintf(want, sizeof want,
                               "\",\"level\":\"info\",\"room\":\"room\","
                               "\"event\":\"event\",\"k\":%s,\"n\":-42}\n",
                               cases[i].json);
                assert_memory_equal(got, "{\"time\":\"2", 10);
                assert_string_equal(got + 9 + TIME, want);
            } else {
                (void)snprintf(want, sizeof want,
                               " info room event k=%s n=-42\n", cases[i].text);
                assert_string_equal(got + TIME, want);
                assert_int_equal(got[TIME - 1], 'Z');
            }
        }
    }
    restore(s);
}

/* A reader that sleeps costs lines, never time; and it learns how many. */
static void
drop_and_count(int fds[2])
{
    static char got[4 << 20];
    char filler[200];
    memset(filler, 'x', sizeof filler);
    log_open("room", false, LOG_INFO);
    struct sink s = redirect(fds);
    uint64_t before = log_dropped();
    for (size_t i = 0; i < 5000; i++) {
        log_event(LOG_INFO, "line", LOG_S("f", str_from_n(filler, 200)),
                  LOG_END);
        log_flush();
    }
    uint64_t dropped = log_dropped() - before;
    assert_true(dropped > 0);
    assert_true(log_backlog() > 0);
    size_t n = 0;
    while (log_backlog() > 0) {
        (void)read_all(fds[0], got + n, sizeof got - n);
        n += strlen(got + n);
        log_flush();
    }
    log_event(LOG_INFO, "after", LOG_END);
    log_flush();
    (void)read_all(fds[0], got + n, sizeof got - n);
    restore(s);

    char want[64];
    (void)snprintf(want, sizeof want, " warning room log-dropped lines=%llu\n",
                   (unsigned long long)dropped);
    assert_non_null(strstr(got, want));
    assert_non_null(strstr(got, " info room after\n"));
    size_t lines = 0;
    for (const char *p = got; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, 5000 - dropped + 2);
}

static void
slow_pipe(void **state)
{
    int fds[2];
    (void)state;
    assert_int_equal(pipe(fds), 0);
    drop_and_count(fds);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escaping),
        cmocka_unit_test(slow_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
