/* SPDX-License-Identifier: ISC */
#include "mailbox/maildir.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/disk.h"

/* A real folder; some disk calls can be made to fail. */
static char home[] = "/tmp/gatepost-maildir-XXXXXX";
static struct disk disk;
static struct maildir maildir;
static int sync_error, rename_error, write_error;

static int
sync_or_fail(void *self, int fd)
{
    errno = sync_error;
    return sync_error != 0 ? -1 : os_disk()->sync(self, fd);
}

static int
sync_all_or_fail(void *self, int fd)
{
    errno = sync_error;
    return sync_error != 0 ? -1 : os_disk()->sync(self, fd);
}

static int
rename_or_fail(void *self, int from_dir, const char *from, int to_dir,
               const char *to)
{
    errno = rename_error;
    return rename_error != 0
               ? -1
               : os_disk()->rename(self, from_dir, from, to_dir, to);
}

/* Never more than 5 octets at once, as the interface allows. */
static ssize_t
write_little(void *self, int fd, const struct iovec *parts, int count,
             int64_t offset)
{
    struct iovec some = parts[0];
    (void)count;
    if (write_error != 0) {
        errno = write_error;
        return -1;
    }
    if (some.iov_len > 5)
        some.iov_len = 5;
    return os_disk()->write_at(self, fd, &some, 1, offset);
}

static int
setup(void **state)
{
    (void)state;
    disk = *os_disk();
    disk.sync = sync_or_fail;
    disk.sync_all = sync_all_or_fail;
    disk.rename = rename_or_fail;
    disk.write_at = write_little;
    sync_error = rename_error = write_error = 0;
    (void)strcpy(home, "/tmp/gatepost-maildir-XXXXXX");
    assert_non_null(mkdtemp(home));
    maildir = (struct maildir){.disk = &disk, .root = os_open_dir("/")};
    assert_true(maildir.root >= 0);
    return 0;
}

static int
teardown(void **state)
{
    char command[200];
    (void)state;
    (void)close(maildir.root);
    (void)snprintf(command, sizeof command, "rm -rf %s", home);
    return system(command);
}

/* The content of an item: one text in two pieces. */
static bool
read_text(void *ctx, struct buf *to, bool *end, struct err *e)
{
    const char **text = ctx;
    if (*text == NULL)
        return err_set(e, "cannot be read");
    *end = to->n == 0 && strlen(*text) < 10;
    buf_add(to, str_first(str_from(*text), 10));
    *text += strlen(*text) < 10 ? strlen(*text) : 10;
    return true;
}

static struct maildir_item
item(struct arena *a, const char *box, const char *name, const char **text)
{
    return (struct maildir_item){
        .path = arena_printf(a, "%s/%s", home, box),
        .name = str_from(name),
        .read = read_text,
        .ctx = text,
    };
}

static bool
holds(const char *path, const char *want)
{
    char name[300], got[300] = {0};
    (void)snprintf(name, sizeof name, "%s/%s", home, path);
    FILE *f = fopen(name, "rb");
    if (f == NULL)
        return false;
    size_t n = fread(got, 1, sizeof got - 1, f);
    (void)fclose(f);
    return n == strlen(want) && memcmp(got, want, n) == 0;
}

static bool
exists(const char *path)
{
    char name[300];
    (void)snprintf(name, sizeof name, "%s/%s", home, path);
    return access(name, F_OK) == 0;
}

static void
several_boxes(void **state)
{
    static const char long_text[] = "a text of more than ten octets\n";
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        struct arena a = {0};
        const char *texts[7];
        struct maildir_item x[7];
        maildir.whole = whole;
        for (size_t i = 0; i < 7; i++) {
            struct str box = arena_printf(&a, "w%d/d%zu/box", whole, i / 2);
            struct str name = arena_printf(&a, "m%zu", i);
            texts[i] = long_text;
            x[i] =
                item(&a, arena_cstr(&a, box), arena_cstr(&a, name), &texts[i]);
        }
        maildir_deliver(&maildir, x, 7);
        for (size_t i = 0; i < 7; i++) {
            struct str in =
                arena_printf(&a, "w%d/d%zu/box/new/m%zu", whole, i / 2, i);
            assert_int_equal(x[i].verdict.outcome, OUTCOME_DELIVERED);
            assert_true(holds(arena_cstr(&a, in), long_text));
        }
        arena_fini(&a);
    }
    assert_false(exists("w0/d0/box/tmp/m0"));
    assert_true(exists("w0/d0/box/cur"));
}

static void
made_for_us_alone(void **state)
{
    struct arena a = {0};
    struct stat st;
    const char *text = "x";
    struct maildir_item x = item(&a, "deep/box", "m", &text);
    char path[300];
    (void)state;
    maildir_deliver(&maildir, &x, 1);
    (void)snprintf(path, sizeof path, "%s/deep", home);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    (void)snprintf(path, sizeof path, "%s/deep/box/new", home);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    (void)snprintf(path, sizeof path, "%s/deep/box/new/m", home);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    arena_fini(&a);
}

static void
found_again(void **state)
{
    static const char *const moved[] = {"box/new/m", "box/cur/m:2,S",
                                        "box/cur/m"};
    struct arena a = {0};
    const char *text = "first\n";
    struct maildir_item x = item(&a, "box", "m", &text);
    char from[300], to[300];
    (void)state;
    x.repeated = true; // nothing there yet
    maildir_deliver(&maildir, &x, 1);
    assert_false(x.found);
    (void)snprintf(from, sizeof from, "%s/box/new/m", home);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(to, sizeof to, "%s/%s", home, moved[i]);
        assert_int_equal(rename(from, to), 0);
        text = "second\n";
        maildir_deliver(&maildir, &x, 1);
        assert_int_equal(x.verdict.outcome, OUTCOME_DELIVERED);
        assert_true(x.found);
        assert_true(holds(moved[i], "first\n"));
        assert_int_equal(exists("box/new/m"), i == 0);
        (void)memcpy(from, to, sizeof from);
    }
    /* Another message's name that begins alike is another message. */
    x.name = STR("m:");
    text = "third\n";
    maildir_deliver(&maildir, &x, 1);
    assert_false(x.found);
    arena_fini(&a);
}

static void
rest_of_an_earlier_life(void **state)
{
    struct arena a = {0};
    const char *text = "a rather long text to be overwritten\n";
    struct maildir_item x = item(&a, "box", "m", &text);
    (void)state;
    rename_error = EIO;
    maildir_deliver(&maildir, &x, 1);
    char path[300];
    (void)snprintf(path, sizeof path, "%s/box/tmp/m", home);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    (void)fputs("what a process that died left behind, longer than this", f);
    (void)fclose(f);
    rename_error = 0;
    text = "short\n";
    maildir_deliver(&maildir, &x, 1);
    assert_true(holds("box/new/m", "short\n"));
    arena_fini(&a);
}

static void
failures(void **state)
{
    static const struct {
        const char *name;
        int *where, error;
        const char *reason;
        uint16_t detail;
    } cases[] = {
        {"quota",      &write_error,  EDQUOT, "recipient-full",  2},
        {"full",       &write_error,  ENOSPC, "mailbox-trouble", 1},
        {"sync",       &sync_error,   EIO,    "mailbox-trouble", 0},
        {"rename",     &rename_error, EACCES, "mailbox-trouble", 0},
        {"no storage", &rename_error, ENOSPC, "mailbox-trouble", 1},
    };
    (void)state;
    for (int whole = 0; whole < 2; whole++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct arena a = {0};
            const char *text = "some text\n";
            struct maildir_item x = item(&a, "box", "m", &text);
            maildir.whole = whole;
            *cases[i].where = cases[i].error;
            maildir_deliver(&maildir, &x, 1);
            *cases[i].where = 0;
            if (x.verdict.outcome != OUTCOME_LATER ||
                !str_eq(x.verdict.reason, str_from(cases[i].reason)) ||
                x.verdict.status.detail != cases[i].detail)
                fail_msg("%s: %.*s", cases[i].name, STR_ARG(x.verdict.reason));
            assert_int_equal(x.err.code, cases[i].error);
            assert_false(exists("box/new/m"));
            assert_false(exists("box/tmp/m"));
            arena_fini(&a);
        }
}

static void
one_bad_box_among_good(void **state)
{
    struct arena a = {0};
    const char *texts[] = {"one\n", "two\n", NULL};
    struct maildir_item x[] = {
        item(&a, "good", "m", &texts[0]),
        item(&a, "file/box", "m", &texts[1]),
        item(&a, "good", "unreadable", &texts[2]),
    };
    char path[300];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/file", home);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    (void)fclose(f);
    maildir_deliver(&maildir, x, 3);
    assert_int_equal(x[0].verdict.outcome, OUTCOME_DELIVERED);
    assert_true(holds("good/new/m", "one\n"));
    assert_int_equal(x[1].verdict.outcome, OUTCOME_LATER);
    assert_int_equal(x[1].verdict.status.detail, 5);
    assert_int_equal(x[2].verdict.outcome, OUTCOME_LATER);
    assert_true(str_eq(x[2].verdict.reason, STR("spool-trouble")));
    assert_false(exists("good/new/unreadable"));
    arena_fini(&a);
}

static void
removed_under_us(void **state)
{
    struct arena a = {0};
    const char *text = "x\n";
    struct maildir_item x = item(&a, "gone", "m", &text);
    (void)state;
    x.known = true; // as this process believes
    maildir_deliver(&maildir, &x, 1);
    assert_int_equal(x.verdict.outcome, OUTCOME_DELIVERED);
    assert_true(holds("gone/new/m", "x\n"));
    arena_fini(&a);
}

static void
targets(void **state)
{
    static const struct {
        const char *target, *path;
    } cases[] = {
        {"maildir:/var/mail/x",   "/var/mail/x"},
        {"maildir:/var/mail/x//", "/var/mail/x"},
        {"maildir:/a..b/.c",      "/a..b/.c"   },
        {"maildir:var/mail/x",    NULL         },
        {"maildir:/",             NULL         },
        {"maildir:/var/../etc",   NULL         },
        {"maildir:/var/mail/.",   NULL         },
        {"mbox:/var/mail/x",      NULL         },
        {"",                      NULL         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str path = STR_EMPTY;
        bool ok = maildir_target(str_from(cases[i].target), &path);
        if (ok != (cases[i].path != NULL) ||
            (ok && !str_eq(path, str_from(cases[i].path))))
            fail_msg("%s", cases[i].target);
    }
}

static void
names(void **state)
{
    struct arena a = {0};
    struct str name =
        maildir_name(&a, 1732420800999, STR("2b-9Xk"), 3, STR("mx:1/../x"));
    (void)state;
    assert_true(str_eq(name, STR("1732420800.G2b-9Xk_3.mx_1_.._x")));
    arena_fini(&a);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(several_boxes),     TEST(made_for_us_alone),
        TEST(found_again),       TEST(rest_of_an_earlier_life),
        TEST(failures),          TEST(one_bad_box_among_good),
        TEST(removed_under_us),  cmocka_unit_test(targets),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("mailbox/maildir", tests, NULL, NULL);
}
