/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/disk.h"

struct names {
    int n;
    bool saw_b;
};

static void
on_name(void *ctx, const char *name)
{
    struct names *seen = ctx;
    seen->n++;
    seen->saw_b = seen->saw_b || strcmp(name, "b") == 0;
}

static void
files(void **state)
{
    const struct disk *d = os_disk();
    char path[] = "/tmp/gatepost-disk-XXXXXX", got[16] = "";
    struct iovec parts[] = {
        {(char[]){"hello "}, 6},
        {(char[]){"world"},  5}
    };
    struct names seen = {0};
    (void)state;

    assert_non_null(mkdtemp(path));
    int top = os_open_dir(path);
    assert_true(top >= 0);
    assert_int_equal(d->make_dir(d->self, top, "sub", 0700), 0);
    int dir = d->open_dir(d->self, top, "sub");
    assert_true(dir >= 0);

    assert_int_equal(d->open(d->self, dir, "a", DISK_WRITE), -1);
    assert_int_equal(errno, ENOENT);
    unsigned fresh = DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE;
    int fd = d->open(d->self, dir, "a", fresh);
    assert_true(fd >= 0);
    assert_int_equal(d->open(d->self, dir, "a", fresh), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(d->write_at(d->self, fd, parts, 2, 100), 11);
    assert_int_equal(d->size(d->self, fd), 111);
    assert_int_equal(d->read_at(d->self, fd, got, 5, 106), 5);
    assert_string_equal(got, "world");
    assert_int_equal(d->truncate(d->self, fd, 50), 0);
    assert_int_equal(d->size(d->self, fd), 50);
    assert_int_equal(d->sync(d->self, fd), 0);
    assert_int_equal(d->close(d->self, fd), 0);

    assert_int_equal(d->rename(d->self, dir, "a", dir, "b"), 0);
    assert_int_equal(d->sync(d->self, dir), 0);
    assert_int_equal(d->list(d->self, dir, on_name, &seen), 0);
    assert_int_equal(d->list(d->self, dir, on_name, &seen), 0); // from the top
    assert_int_equal(seen.n, 2);
    assert_true(seen.saw_b);
    fd = d->open(d->self, dir, "b", DISK_READ);
    assert_int_equal(d->write_at(d->self, fd, parts, 1, 0), -1);
    assert_int_equal(d->close(d->self, fd), 0);
    assert_int_equal(d->unlink(d->self, dir, "b"), 0);
    assert_true(d->free_space(d->self, dir) > 0);
    assert_int_equal(d->close(d->self, dir), 0);
    assert_int_equal(unlinkat(top, "sub", AT_REMOVEDIR), 0);
    assert_int_equal(d->close(d->self, top), 0);
    assert_int_equal(rmdir(path), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files)};
    return cmocka_run_group_tests_name("os/disk", tests, NULL, NULL);
}
