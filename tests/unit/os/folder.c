/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/folder.h"
#include "os/memfd.h"
#include "os/spawn.h"

/* A folder of the test's own; path() gives names inside, valid until the next
 * call but one. */
static char base[] = "/tmp/gatepost-folder-XXXXXX";

static const char *
path(const char *name)
{
    static struct buf turns[2];
    static unsigned turn;
    struct buf *b = &turns[turn++ % 2];
    buf_clear(b);
    buf_addf(b, "%s/%s", base, name);
    return buf_cstr(b);
}

static int
make_base(void **state)
{
    (void)state;
    return mkdtemp(base) == NULL;
}

static int
remove_base(void **state)
{
    struct buf b = {0};
    (void)state;
    buf_addf(&b, "rm -rf %s", base);
    int rc = system(buf_cstr(&b));
    buf_fini(&b);
    return rc;
}

static unsigned
mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(stat(path(name), &st), 0);
    return st.st_mode & 0777;
}

static void
making(void **state)
{
    struct err e;
    struct account me = {getuid(), getgid()};
    (void)state;
    (void)umask(022);
    assert_true(folder_make(path("a/b/c"), 0700, NULL, &e));
    assert_true(folder_make(path("a/b/c"), 0700, NULL, &e)); // is there
    assert_int_equal(mode_of("a"), 0755);
    assert_int_equal(mode_of("a/b/c"), 0700);
    assert_true(folder_make(path("a/b/c"), 0750, &me, &e));
    assert_int_equal(mode_of("a/b/c"), 0750);

    assert_true(file_write(path("file"), STR("x"), 0600, &e));
    assert_false(folder_make(path("file"), 0700, &me, &e));
    assert_false(folder_make(path("file/under"), 0700, NULL, &e));
    assert_non_null(strstr(e.text, "file/under"));
    assert_int_equal(symlink("a", path("link")), 0);
    assert_false(folder_make(path("link"), 0700, &me, &e)); // not elsewhere
}

/* Needs root, who alone can give. */
static void
giving(void **state)
{
    struct err e;
    struct stat st;
    const struct account other = {12345, 12346};
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_true(folder_make(path("g/sub"), 0700, NULL, &e));
    assert_true(file_write(path("outside"), STR("x"), 0600, &e));
    assert_true(file_write(path("g/mine"), STR("x"), 0600, &e));
    assert_true(file_write(path("g/sub/deep"), STR("x"), 0600, &e));
    assert_int_equal(symlink("../outside", path("g/link")), 0);
    assert_int_equal(link(path("outside"), path("g/second-name")), 0);
    assert_true(folder_give(path("g"), &other, &e));
    assert_int_equal(stat(path("g/mine"), &st), 0);
    assert_int_equal(st.st_uid, other.uid);
    assert_int_equal(stat(path("g/sub/deep"), &st), 0);
    assert_int_equal(st.st_gid, other.gid);
    /* Neither by a link nor under a second name. */
    assert_int_equal(stat(path("outside"), &st), 0);
    assert_int_equal(st.st_uid, 0);
}

/* Holds the lock in another process, whose number *pid becomes; it ends when
 * the pipe closes. */
static int
lock_elsewhere(const char *name, pid_t *pid)
{
    int ready[2], hold[2];
    char c;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(hold), 0);
    *pid = fork();
    if (*pid == 0) {
        struct err e;
        int64_t holder;
        (void)close(hold[1]);
        if (folder_lock(name, 0, &holder, &e) >= 0)
            (void)!write(ready[1], "x", 1);
        (void)!read(hold[0], &c, 1);
        _exit(0);
    }
    (void)close(hold[0]);
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    (void)close(ready[0]);
    return hold[1];
}

static void
locking(void **state)
{
    struct err e;
    int64_t holder;
    pid_t pid;
    (void)state;
    int hold = lock_elsewhere(path("lock"), &pid);
    /* Its owner lives: no waiting, and a name for it. */
    assert_int_equal(folder_lock(path("lock"), 60000, &holder, &e), -1);
    assert_int_equal(holder, pid);
    (void)close(hold);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    int fd = folder_lock(path("lock"), 0, &holder, &e);
    assert_true(fd >= 0);

    /* Two descriptors on one claim, as with rooms: both must go. */
    int copy = dup(fd);
    (void)close(fd);
    assert_int_equal(folder_lock(path("lock"), 0, &holder, &e), -1);
    assert_int_equal(holder, spawn_own_pid());
    (void)close(copy);
    fd = folder_lock(path("lock"), 0, &holder, &e);
    assert_true(fd >= 0);
    (void)close(fd);

    assert_int_equal(folder_lock(path("no/lock"), 0, &holder, &e), -1);
    assert_int_equal(holder, 0);
}

static void
files(void **state)
{
    struct err e;
    struct buf b = {0};
    (void)state;
    assert_true(file_write(path("f"), STR("hello"), 0640, &e));
    assert_int_equal(mode_of("f"), 0640);
    assert_true(file_read(path("f"), 5, &b, &e));
    assert_true(str_eq(buf_str(&b), STR("hello")));
    buf_clear(&b);
    assert_false(file_read(path("f"), 4, &b, &e));
    assert_non_null(strstr(e.text, "at most 4 octets"));
    buf_clear(&b);
    assert_true(file_write(path("f"), STR("x"), 0640, &e)); // shorter
    assert_true(file_read(path("f"), 5, &b, &e));
    assert_true(str_eq(buf_str(&b), STR("x")));
    file_remove(path("f"));
    assert_false(file_read(path("f"), 5, &b, &e));
    assert_false(file_read(base, 5, &b, &e)); // a folder
    buf_fini(&b);
}

static void
sealed(void **state)
{
    struct err e;
    struct buf b = {0};
    (void)state;
    int fd = memfd_sealed("test", STR("secret"), &e);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ftruncate(fd, 100), -1);
    assert_true(memfd_read(fd, 6, &b, &e));
    assert_true(memfd_read(fd, 6, &b, &e)); // from its start each time
    assert_true(str_eq(buf_str(&b), STR("secretsecret")));
    assert_false(memfd_read(fd, 5, &b, &e));
    (void)close(fd);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making),  cmocka_unit_test(giving),
        cmocka_unit_test(locking), cmocka_unit_test(files),
        cmocka_unit_test(sealed),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
