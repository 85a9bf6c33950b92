/* SPDX-License-Identifier: ISC */
/* What comes of a list file, looked at again and again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "directory/listfile.h"
#include "os/constdb.h"
#include "os/disk.h"

struct scene {
    char folder[48];
    char source[64], database[64], fresh[64];
    struct listfile job;
    struct constdb *db; /* in force */
};

static void
begin_job(struct scene *s)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    s->job = (struct listfile){.list = LIST_BADMAILFROM,
                               .path = s->source,
                               .folder = os_open_dir(s->folder),
                               .wall_ms = (int64_t)now.tv_sec * 1000 + 10000};
    assert_true(s->job.folder >= 0);
}

static void
end_job(struct scene *s)
{
    constdb_close(s->db);
    s->db = NULL;
    arena_fini(&s->job.arena);
    (void)close(s->job.folder);
}

static int
open_scene(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    (void)snprintf(s->folder, sizeof s->folder, "/tmp/gatepost-lists-XXXXXX");
    if (mkdtemp(s->folder) == NULL)
        return -1;
    (void)snprintf(s->source, sizeof s->source, "%s/bad", s->folder);
    (void)snprintf(s->database, sizeof s->database, "%s/badmailfrom.cdb",
                   s->folder);
    (void)snprintf(s->fresh, sizeof s->fresh, "%s/badmailfrom.cdb.new",
                   s->folder);
    begin_job(s);
    *state = s;
    return 0;
}

static int
close_scene(void **state)
{
    struct scene *s = *state;
    end_job(s);
    (void)unlink(s->source);
    (void)unlink(s->database);
    int rc = rmdir(s->folder); // nothing else may be left
    free(s);
    return rc;
}

/* As an editor does that writes in place. Each version has another size, so
 * that no test depends on the clock. */
static void
write_source(const struct scene *s, struct str text)
{
    FILE *f = fopen(s->source, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
}

static void
look(struct scene *s, enum listfile_result expected)
{
    struct err e;

    listfile_run(&s->job.task);
    if (s->job.result != expected)
        fail_msg("result %d: %s", (int)s->job.result, s->job.err.text);
    if (s->job.fd < 0)
        return;
    constdb_close(s->db);
    s->db = constdb_open(s->job.fd, &e);
    assert_non_null(s->db);
    (void)close(s->job.fd);
}

static void
assert_listed(const struct scene *s, const char *key, const char *remark)
{
    struct str value;

    assert_non_null(s->db);
    if (!constdb_find(s->db, str_from(key), &value))
        assert_null(remark);
    else
        assert_true(remark != NULL && str_eq(value, str_from(remark)));
}

static void
compiles(void **state)
{
    struct scene *s = *state;

    write_source(s, STR("\xef\xbb\xbf"
                        "Bob@X.example  junk\r\n"
                        "\n"
                        "# comment\n"
                        "@y.example\n"
                        "y.example\n"
                        ".z.example"));
    look(s, LISTFILE_FRESH);
    assert_true(s->job.compiled);
    assert_int_equal(s->job.entries, 3);
    assert_int_equal(s->job.bad, 1);
    assert_int_equal(s->job.n_warnings, 1);
    char expected[200];
    (void)snprintf(expected, sizeof expected,
                   "%s:5: expected an address, @domain or .domain, found "
                   "\"y.example\"",
                   s->source);
    assert_true(str_eq(s->job.warnings[0], str_from(expected)));
    assert_listed(s, "bob@x.example", "junk");
    assert_listed(s, "@y.example", "");
    assert_listed(s, ".z.example", "");
    assert_listed(s, "y.example", NULL);
    look(s, LISTFILE_SAME);
}

static void
exchanges_when_settled(void **state)
{
    struct scene *s = *state;

    write_source(s, STR("@a.example\n"));
    look(s, LISTFILE_FRESH);
    struct constdb *old = s->db;
    struct str value;
    s->db = NULL;
    write_source(s, STR("@a.example\n@bb"));
    look(s, LISTFILE_UNSETTLED);
    write_source(s, STR("@a.example\n@bb.example\n"));
    look(s, LISTFILE_UNSETTLED);
    look(s, LISTFILE_FRESH);
    assert_listed(s, "@bb.example", "");
    assert_listed(s, "@bb", NULL);
    // who has the earlier one mapped sees no change in it
    assert_true(constdb_find(old, STR("@a.example"), &value));
    assert_false(constdb_find(old, STR("@bb.example"), &value));
    constdb_close(old);

    // A rename over it, as careful editors do.
    char other[80];
    (void)snprintf(other, sizeof other, "%s/other", s->folder);
    FILE *f = fopen(other, "w");
    assert_non_null(f);
    (void)fputs("@cc.example\n", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(other, s->source), 0);
    look(s, LISTFILE_UNSETTLED);
    look(s, LISTFILE_FRESH);
    assert_listed(s, "@cc.example", "");
    assert_listed(s, "@a.example", NULL);
}

static void
keeps_the_last_good_one(void **state)
{
    struct scene *s = *state;

    write_source(s, STR("@a.example\n"));
    look(s, LISTFILE_FRESH);
    // binary: no line of it is an entry
    write_source(s, STR("\0\1\2\nxxxxx\n"));
    look(s, LISTFILE_UNSETTLED);
    look(s, LISTFILE_FAILED);
    assert_int_equal(s->job.fd, -1);
    look(s, LISTFILE_SAME); // said once
    assert_int_equal(unlink(s->source), 0);
    look(s, LISTFILE_FAILED);
    assert_int_equal(s->job.err.code, 2);
    assert_listed(s, "@a.example", "");

    // The next process finds it, although there is no source.
    end_job(s);
    begin_job(s);
    look(s, LISTFILE_FAILED);
    assert_true(s->job.have);
    assert_listed(s, "@a.example", "");

    write_source(s, STR("@b.example # once more\n"));
    look(s, LISTFILE_UNSETTLED);
    look(s, LISTFILE_FRESH);
    assert_listed(s, "@b.example", "");
}

static void
nothing_to_begin_with(void **state)
{
    struct scene *s = *state;

    look(s, LISTFILE_FAILED);
    assert_int_equal(s->job.fd, -1);
    assert_false(s->job.have);
    write_source(s, STR("y.example\n"));
    look(s, LISTFILE_FAILED);
    look(s, LISTFILE_SAME);
    write_source(s, STR("# nobody\n")); // an empty list is a list
    look(s, LISTFILE_FRESH);
    assert_int_equal(s->job.entries, 0);
    assert_listed(s, "y.example", NULL);
}

static void
is_found_at_the_next_start(void **state)
{
    struct scene *s = *state;

    write_source(s, STR("@a.example\nbad\n"));
    look(s, LISTFILE_FRESH);
    end_job(s);
    begin_job(s);
    look(s, LISTFILE_FRESH);
    assert_false(s->job.compiled);
    assert_int_equal(s->job.entries, 1);
    assert_int_equal(s->job.bad, 1);
    assert_listed(s, "@a.example", "");
    look(s, LISTFILE_SAME);

    // Changed in between: read at once.
    end_job(s);
    write_source(s, STR("@b.example\n@c.example\n"));
    begin_job(s);
    look(s, LISTFILE_FRESH);
    assert_true(s->job.compiled);
    assert_listed(s, "@b.example", "");

    // The database of another source is not taken for this one's.
    end_job(s);
    char other[80];
    (void)snprintf(other, sizeof other, "%s/other", s->folder);
    assert_int_equal(rename(s->source, other), 0);
    begin_job(s);
    s->job.path = other;
    look(s, LISTFILE_FRESH);
    assert_true(s->job.compiled);
    assert_int_equal(unlink(other), 0);
}

/* Each octet of the database in turn, and each length: it is made anew. */
static void
damage(void **state)
{
    struct scene *s = *state;
    struct stat st;

    write_source(s, STR("@a.example\n"));
    look(s, LISTFILE_FRESH);
    assert_int_equal(stat(s->database, &st), 0);
    for (off_t at = 0; at < st.st_size; at += at < 2048 ? 97 : 1) {
        unsigned char c;
        int fd = open(s->database, O_RDWR);
        assert_true(fd >= 0);
        assert_int_equal(pread(fd, &c, 1, at), 1);
        c ^= 0x10;
        assert_int_equal(pwrite(fd, &c, 1, at), 1);
        (void)close(fd);
        end_job(s);
        begin_job(s);
        look(s, LISTFILE_FRESH);
        if (!s->job.compiled)
            fail_msg("octet %lld was changed and not noticed", (long long)at);
        assert_listed(s, "@a.example", "");
    }
    for (off_t n = 0; n < st.st_size; n += n < 2000 ? 400 : 7) {
        assert_int_equal(truncate(s->database, n), 0);
        end_job(s);
        begin_job(s);
        look(s, LISTFILE_FRESH);
        assert_true(s->job.compiled);
    }
}

/* A stamp from within the clock's grain could be that of two versions. */
static void
racy(void **state)
{
    struct scene *s = *state;

    s->job.wall_ms -= 10000;
    write_source(s, STR("@a.example\n"));
    look(s, LISTFILE_FRESH);
    s->job.wall_ms += 10000;
    look(s, LISTFILE_FRESH);
    look(s, LISTFILE_SAME);
}

static void
long_lines(void **state)
{
    struct scene *s = *state;
    struct buf text = {0};

    buf_add(&text, STR("@a.example "));
    for (int i = 0; i < 700000; i++)
        buf_add_char(&text, 'x');
    buf_add(&text, STR("\n@b.example\n"));
    write_source(s, buf_str(&text));
    look(s, LISTFILE_FRESH);
    assert_int_equal(s->job.entries, 1);
    assert_int_equal(s->job.bad, 1);
    assert_listed(s, "@b.example", "");
    assert_listed(s, "@a.example", NULL);
    buf_fini(&text);
}

static void
many(void **state)
{
    enum { ENTRIES = 20000, BAD = 50 };
    struct scene *s = *state;
    struct buf text = {0};
    char key[40];

    for (int i = 0; i < BAD; i++)
        buf_add(&text, STR("bad\n"));
    for (int i = 0; i < ENTRIES; i++)
        buf_addf(&text, "user%d@x.example\n", i);
    write_source(s, buf_str(&text));
    look(s, LISTFILE_FRESH);
    assert_int_equal(s->job.entries, ENTRIES);
    assert_int_equal(s->job.bad, BAD);
    assert_int_equal(s->job.n_warnings, 20);
    for (int i = 0; i < ENTRIES; i++) {
        (void)snprintf(key, sizeof key, "user%d@x.example", i);
        assert_listed(s, key, "");
    }
    assert_listed(s, "user20000@x.example", NULL);
    buf_fini(&text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_scene, close_scene)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(compiles),
        TEST(exchanges_when_settled),
        TEST(keeps_the_last_good_one),
        TEST(nothing_to_begin_with),
        TEST(is_found_at_the_next_start),
        TEST(damage),
        TEST(racy),
        TEST(long_lines),
        TEST(many),
    };
    return cmocka_run_group_tests_name("directory/listfile", tests, NULL, NULL);
}
