/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/net.h"

static void
addresses(void **state)
{
    static const struct {
        const char *text, *again; /* NULL: not an address */
    } cases[] = {
        {"192.0.2.1",                                              "192.0.2.1"  },
        {"2001:db8::1",                                            "2001:db8::1"},
        {"[2001:DB8:0::1]",                                        "2001:db8::1"},
        {"::ffff:192.0.2.1",                                       "192.0.2.1"  },
        {"::",                                                     "::"         },
        {"",                                                       NULL         },
        {"[]",                                                     NULL         },
        {"[192.0.2.1]",                                            NULL         },
        {"192.0.2",                                                NULL         },
        {"192.0.2.256",                                            NULL         },
        {"192.0.2.1 ",                                             NULL         },
        {"2001:db8::1::",                                          NULL         },
        {"localhost",                                              NULL         },
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", NULL         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net_address a;
        char text[NET_TEXT];
        bool ok = net_parse(str_from(cases[i].text), 2525, &a);
        if (ok != (cases[i].again != NULL))
            fail_msg("%s", cases[i].text);
        if (!ok)
            continue;
        assert_string_equal(net_format(&a, text).p, cases[i].again);
        assert_int_equal(net_port(&a), 2525);
    }
    struct net_address none = {0};
    char text[NET_TEXT];
    assert_int_equal(net_format(&none, text).n, 0);
    assert_int_equal(net_port(&none), 0);
    assert_false(net_is_loopback(&none));
    assert_false(net_is_own(&none));
    assert_false(net_parse((struct str){"127.0.0.1\0x", 11}, 1, &none));
}

static void
networks(void **state)
{
    static const struct {
        const char *network, *ip;
        bool inside;
    } cases[] = {
        {"192.0.2.0/24",         "192.0.2.200",      true },
        {"192.0.2.0/24",         "192.0.3.0",        false},
        {"192.0.2.7/24",         "192.0.2.200",      true },
        {"192.0.2.128/25",       "192.0.2.127",      false},
        {"192.0.2.128/25",       "192.0.2.128",      true },
        {"10.0.0.0/7",           "11.255.0.1",       true },
        {"10.0.0.0/7",           "12.0.0.1",         false},
        {"192.0.2.1",            "192.0.2.1",        true },
        {"192.0.2.1",            "192.0.2.2",        false},
        {"0.0.0.0/0",            "203.0.113.9",      true },
        {"0.0.0.0/0",            "2001:db8::1",      false},
        {"::/0",                 "203.0.113.9",      false},
        {"::1",                  "::1",              true },
        {"::1",                  "::2",              false},
        {"2001:db8::/33",        "2001:db8:7fff::1", true },
        {"2001:db8::/33",        "2001:db8:8000::1", false},
        {"192.0.2.0/24",         "::ffff:192.0.2.9", true },
        {"::ffff:192.0.2.0/120", "192.0.2.9",        true },
        {"::ffff:192.0.2.0/120", "192.0.3.9",        false},
    };
    static const char *const invalid[] = {
        "",           "/24",  "192.0.2.0/33",   "192.0.2.0/",    "::/129",
        "10.0.0.0/x", "10/8", "192.0.2.0/24/8", "::ffff:0:0/95", "example.com",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net_address a;
        assert_true(net_parse(str_from(cases[i].ip), 0, &a));
        assert_true(net_network_valid(str_from(cases[i].network)));
        if (net_in_network(&a, str_from(cases[i].network)) != cases[i].inside)
            fail_msg("%s in %s", cases[i].ip, cases[i].network);
    }
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        if (net_network_valid(str_from(invalid[i])))
            fail_msg("%s", invalid[i]);
}

static void
await(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    assert_int_equal(poll(&p, 1, 10000), 1);
}

/* The port that the kernel picked for a socket, by asking a connection. */
static void
listening(void **state)
{
    struct err e;
    int fds[4], twin[4];
    struct net_address to, peer, own;
    char text[64], ip[NET_TEXT];
    unsigned port = 20000 + (unsigned)getpid() % 20000;
    size_t n = 0;
    (void)state;
    for (; n == 0; port++) {
        (void)snprintf(text, sizeof text, "127.0.0.1:%u", port);
        n = net_listen(str_from(text), true, fds, 4, &e);
    }
    port--;
    assert_int_equal(n, 1);
    assert_int_equal(net_listen(str_from(text), true, twin, 4, &e), 1);
    (void)close(twin[0]);
    assert_int_equal(net_listen(str_from(text), false, twin, 4, &e), 0);
    assert_non_null(strstr(e.text, text));
    assert_non_null(strstr(e.text, "in use"));

    assert_int_equal(net_accept(fds[0], &peer, &own), -1);
    assert_true(net_parse(STR("127.0.0.1"), (uint16_t)port, &to));
    int near = net_connect(&to, &e);
    assert_true(near >= 0);
    await(fds[0], POLLIN);
    int far = net_accept(fds[0], &peer, &own);
    assert_true(far >= 0);
    assert_string_equal(net_format(&peer, ip).p, "127.0.0.1");
    assert_int_equal(net_port(&own), port);
    assert_true(net_is_loopback(&peer));
    assert_true(net_is_own(&peer));
    assert_true(net_parse(STR("192.0.2.1"), 25, &peer));
    assert_false(net_is_own(&peer)); // of TEST-NET-1: nobody's
    (void)close(near);
    (void)close(far);
    (void)close(fds[0]);
}

static void
bad_listens(void **state)
{
    static const char *const bad[] = {
        "", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "host:25", ":25"};
    struct err e;
    int fds[4];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(net_listen(str_from(bad[i]), false, fds, 4, &e), 0);
        assert_non_null(strstr(e.text, "expected"));
    }
}

static void
check_unix(const char *path)
{
    struct err e;
    struct stat st;
    int listener = net_listen_unix(path, 0600, &e);
    if (listener < 0)
        fail_msg("%s", e.text);
    (void)close(listener);
    listener = net_listen_unix(path, 0666, &e); // over the old one
    assert_true(listener >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
    int near = net_connect_unix(path, &e);
    assert_true(near >= 0);
    await(listener, POLLIN);
    struct net_address peer, own;
    int far = net_accept(listener, &peer, &own);
    assert_true(far >= 0);
    assert_int_equal(peer.n, 0);
    assert_int_equal(net_peer_uid(far), getuid());
    (void)close(near);
    (void)close(far);
    (void)close(listener);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(net_connect_unix(path, &e), -1);
}

static void
unix_sockets(void **state)
{
    char folder[] = "/tmp/gatepost-net-XXXXXX";
    struct buf path = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    buf_addf(&path, "%s/s", folder);
    check_unix(buf_cstr(&path));

    /* Beyond the 108 octets that an address holds. */
    struct buf deep = {0};
    buf_addf(&deep, "%s/%0150d", folder, 7);
    assert_int_equal(mkdir(buf_cstr(&deep), 0700), 0);
    buf_clear(&path);
    buf_addf(&path, "%s/%0150d/s", folder, 7);
    check_unix(buf_cstr(&path));
    assert_int_equal(rmdir(buf_cstr(&deep)), 0);
    assert_int_equal(rmdir(folder), 0);
    buf_fini(&deep);
    buf_fini(&path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),    cmocka_unit_test(networks),
        cmocka_unit_test(listening),    cmocka_unit_test(bad_listens),
        cmocka_unit_test(unix_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
