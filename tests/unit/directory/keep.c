/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "directory/keep.h"
#include "os/disk.h"

static void
give_up(void *ctx)
{
    loop_stop(ctx);
}

static void
write_and_read(void **state)
{
    char path[] = "/tmp/gatepost-keep-XXXXXX", file[64];
    struct loop *l = loop_new();
    struct buf b = {0}, got = {0};
    struct err e;
    (void)state;

    assert_non_null(mkdtemp(path));
    int folder = os_open_dir(path);
    struct keep *k = keep_new(l, folder, "it");
    assert_true(keep_read(k, 100, &got, &e)); // nothing yet
    assert_int_equal(got.n, 0);

    buf_add(&b, STR("one"));
    assert_true(keep_idle(k));
    keep_write(k, &b);
    assert_int_equal(b.n, 0);
    assert_false(keep_idle(k));
    struct timer *t = timer_new(l, give_up, l);
    for (int i = 0; i < 1000 && !keep_idle(k); i++) {
        timer_set(t, loop_now(l).mono_ms + 10);
        loop_run(l);
    }
    assert_true(keep_idle(k));
    assert_true(keep_read(k, 100, &got, &e));
    assert_true(str_eq(buf_str(&got), STR("one")));

    buf_add(&b, STR("another"));
    keep_write_now(k, &b);
    buf_clear(&got);
    assert_true(keep_read(k, 7, &got, &e));
    assert_true(str_eq(buf_str(&got), STR("another")));
    buf_clear(&got);
    assert_false(keep_read(k, 6, &got, &e)); // larger than it may be

    (void)snprintf(file, sizeof file, "%s/it", path);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(path), 0); // nothing half done is left
    timer_free(t);
    loop_free(l);
    keep_free(k);
    (void)close(folder);
    buf_fini(&b);
    buf_fini(&got);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(write_and_read)};
    return cmocka_run_group_tests_name("directory/keep", tests, NULL, NULL);
}
