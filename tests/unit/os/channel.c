/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/channel.h"
#include "os/memfd.h"

/* A loop with one channel, and its other end as a channel or a descriptor. */
struct rig {
    struct loop *loop;
    struct channel *near, *far;
    int raw;
    size_t frames, octets, fds, ends, stop_after;
    bool free_in_callback, wrong;
};

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct rig *r = ctx;
    struct buf content = {0};
    struct err e;
    r->frames++;
    r->octets += frame.n;
    if (fd >= 0) { // its content is the frame's text
        if (!memfd_read(fd, 1000, &content, &e) ||
            !str_eq(buf_str(&content), frame))
            r->wrong = true;
        buf_fini(&content);
        (void)close(fd);
        r->fds++;
    }
    if (r->free_in_callback) {
        channel_free(r->near);
        r->near = NULL;
    }
    if (r->frames == r->stop_after)
        loop_stop(r->loop);
}

static void
on_end(void *ctx)
{
    struct rig *r = ctx;
    r->ends++;
    loop_stop(r->loop);
}

static struct rig
rig_new(void)
{
    struct rig r = {.loop = loop_new()};
    return r;
}

static void
rig_connect(struct rig *r, bool raw)
{
    int fds[2];
    assert_true(channel_pair(fds));
    r->near = channel_new(r->loop, fds[0], on_frame, on_end, r);
    r->raw = raw ? fds[1] : -1;
    if (!raw)
        r->far = channel_new(r->loop, fds[1], on_frame, on_end, r);
}

static void
rig_free(struct rig *r)
{
    channel_free(r->near);
    channel_free(r->far);
    loop_free(r->loop);
    if (r->raw >= 0)
        (void)close(r->raw);
}

static void
on_tick(void *ctx)
{
    loop_stop(ctx);
}

/* Lets the loop handle what has come. */
static void
settle(struct rig *r)
{
    struct timer *t = timer_new(r->loop, on_tick, r->loop);
    timer_set(t, loop_now(r->loop).mono_ms + 20);
    loop_run(r->loop);
    timer_free(t);
}

static void
fragments(void **state)
{
    static const char wire[] = "\x03\0\0\0\0abc\0\0\0\0\0\x01\0\0\0\0z";
    struct rig r = rig_new();
    (void)state;
    rig_connect(&r, true);
    for (size_t i = 0; i < sizeof wire - 1; i++) {
        assert_int_equal(write(r.raw, wire + i, 1), 1);
        settle(&r);
    }
    assert_int_equal(r.frames, 3);
    assert_int_equal(r.octets, 4);
    assert_int_equal(r.ends, 0);
    rig_free(&r);
}

static void
malformed(void **state)
{
    static const struct {
        const char *name;
        struct str wire;
    } cases[] = {
        {"oversize",           {"\x01\0\0\x01\0x", 6}                 },
        {"unknown flag",       {"\x01\0\0\0\x02x", 6}                 },
        {"descriptor missing", {"\x01\0\0\0\x01x", 6}                 },
        {"after a good one",   {"\x01\0\0\0\0x\xff\xff\xff\xff\0", 11}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r = rig_new();
        rig_connect(&r, true);
        assert_int_equal(write(r.raw, cases[i].wire.p, cases[i].wire.n),
                         (ssize_t)cases[i].wire.n);
        settle(&r);
        assert_int_equal(r.ends, 1);
        assert_int_equal(r.frames, i == 3);
        rig_free(&r);
    }
}

/* More than a socket takes, more descriptors than one message does. */
static void
bulk(void **state)
{
    enum { N = 500 };
    struct rig r = rig_new();
    struct buf big = {0};
    struct err e;
    (void)state;
    rig_connect(&r, false);
    memset(buf_reserve(&big, 5000), 'x', 5000);
    big.n = 5000;
    for (size_t i = 0; i < N; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        int fd = memfd_sealed("test", str_from(text), &e);
        assert_true(fd >= 0);
        channel_send_fd(r.far, str_from(text), fd);
        channel_send(r.far, buf_str(&big));
        (void)close(fd);
    }
    assert_true(channel_backlog(r.far) > N * 5000);
    r.stop_after = 2 * (size_t)N;
    loop_run(r.loop);
    assert_int_equal(r.frames, 2 * N);
    assert_int_equal(r.fds, N);
    assert_false(r.wrong);
    assert_int_equal(channel_backlog(r.far), 0);
    buf_fini(&big);
    rig_free(&r);
}

static void
largest(void **state)
{
    struct rig r = rig_new();
    (void)state;
    rig_connect(&r, false);
    char *p = test_calloc(1, CHANNEL_MAX);
    channel_send(r.far, str_from_n(p, CHANNEL_MAX));
    test_free(p);
    r.stop_after = 1;
    loop_run(r.loop);
    assert_int_equal(r.octets, CHANNEL_MAX);
    rig_free(&r);
}

/* What was said before the end is heard before the end. */
static void
last_words(void **state)
{
    struct rig r = rig_new();
    (void)state;
    rig_connect(&r, true);
    assert_int_equal(write(r.raw, "\x01\0\0\0\0x", 6), 6);
    (void)close(r.raw);
    r.raw = -1;
    channel_send(r.near, STR("into the void"));
    settle(&r);
    assert_int_equal(r.frames, 1);
    if (r.ends == 0)
        settle(&r);
    assert_int_equal(r.ends, 1);
    channel_send(r.near, STR("after the end"));
    settle(&r);
    assert_int_equal(r.ends, 1);
    rig_free(&r);
}

static void
freed_in_callback(void **state)
{
    struct rig r = rig_new();
    (void)state;
    rig_connect(&r, true);
    r.free_in_callback = true;
    assert_int_equal(write(r.raw, "\x01\0\0\0\0x\x01\0\0\0\0y", 12), 12);
    settle(&r);
    assert_int_equal(r.frames, 1);
    rig_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments),  cmocka_unit_test(malformed),
        cmocka_unit_test(bulk),       cmocka_unit_test(largest),
        cmocka_unit_test(last_words), cmocka_unit_test(freed_in_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
