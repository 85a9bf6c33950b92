/* SPDX-License-Identifier: ISC */
/* The filter beside a day that is over: it never denies what is there, and
 * holds for one state of one file only. */
#include "journal/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/rows.h"
#include "journal/words.h"
#include "os/folder.h"

enum { WORDS = 20000, SEED = 4711 };

static char folder[64], path[96], name[112];
static struct err why;

static uint64_t
hash(uint64_t n)
{
    return (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static sqlite3 *
open_database(void)
{
    bool damaged;
    sqlite3 *db = sql_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                           &why, &damaged);
    assert_non_null(db);
    // no power is lost here, and a busy disk takes its time
    assert_true(sql_run(db, "PRAGMA synchronous = OFF", &why));
    return db;
}

static int
set_up(void **state)
{
    struct buf sql = {0};
    struct word *list = calloc(WORDS, sizeof *list);
    const struct words_block b = {.number = 0, .events = WORDS};
    (void)state;

    (void)snprintf(folder, sizeof folder, "/tmp/gatepost-filter-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/2026-11-24.db", folder);
    (void)snprintf(name, sizeof name, "%s-filter", path);
    assert_non_null(list);
    for (unsigned i = 0; i < WORDS; i++)
        list[i] = words_make(hash(i), i);
    sqlite3 *db = open_database();
    rows_add_schema(&sql);
    assert_true(sql_run(db, buf_cstr(&sql), &why));
    assert_true(words_close_block(db, &b, list, WORDS, &why));
    assert_true(filter_write(db, path, SEED, true, &why));
    sql_close(db);
    buf_fini(&sql);
    free(list);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    file_remove(path);
    file_remove(name);
    (void)rmdir(folder);
    return 0;
}

static bool
holds_good(void)
{
    struct filter f;
    filter_open(&f, path);
    bool good = f.fd >= 0;
    filter_close(&f);
    return good;
}

static void
no_or_perhaps(void **state)
{
    struct filter f;
    unsigned wrong = 0;
    (void)state;

    filter_open(&f, path);
    assert_true(f.fd >= 0);
    assert_int_equal(f.seed, SEED);
    assert_true(f.has_gaps);
    for (unsigned i = 0; i < WORDS; i++)
        if (!filter_may_hold(&f, hash(i)))
            fail_msg("word %u is denied", i);
    for (unsigned i = WORDS; i < 2 * WORDS; i++)
        wrong += filter_may_hold(&f, hash(i));
    if (wrong > WORDS / 33)
        fail_msg("%u of %u others may be there", wrong, WORDS);
    filter_close(&f);
    assert_true(filter_may_hold(&f, hash(WORDS))); // without one: perhaps
}

static void
of_one_state(void **state)
{
    static const char *const changes[] = {
        "INSERT INTO gap VALUES (1, 2, 3, 'x')",
        "DELETE FROM words",
        "PRAGMA journal_mode = WAL",
        "VACUUM",
    };
    (void)state;

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        sqlite3 *db = open_database();
        assert_true(sql_run(db, "PRAGMA journal_mode = DELETE", &why));
        assert_true(filter_write(db, path, SEED, false, &why));
        assert_true(holds_good());
        if (!sql_run(db, changes[i], &why))
            fail_msg("%s: %s", changes[i], why.text);
        sql_close(db);
        if (holds_good())
            fail_msg("%s: believed", changes[i]);
    }
}

/* While somebody reads, -wal cannot go: then there is none. */
static void
not_with_a_wal(void **state)
{
    sqlite3 *db = open_database();
    (void)state;

    assert_true(sql_run(db, "PRAGMA journal_mode = WAL", &why));
    assert_false(filter_write(db, path, SEED, false, &why));
    assert_non_null(strstr(why.text, "somebody reads it"));
    assert_true(sql_run(db, "PRAGMA journal_mode = DELETE", &why));
    sql_close(db);
}

static void
damaged(void **state)
{
    struct buf content = {0};
    static const struct {
        const char *name;
        size_t keep, at;
        int value;
    } cases[] = {
        {"as it was",     SIZE_MAX, 0,  'g' },
        {"magic",         SIZE_MAX, 0,  'G' },
        {"size",          SIZE_MAX, 16, 0x55},
        {"counter",       SIZE_MAX, 24, 0x55},
        {"no pages",      SIZE_MAX, 28, 0   },
        {"more pages",    SIZE_MAX, 28, 0x77},
        {"endless pages", SIZE_MAX, 35, 0xff},
        {"half a head",   20,       0,  'g' },
        {"nothing",       0,        0,  'g' },
        {"half a page",   6000,     0,  'g' },
    };
    (void)state;

    assert_true(file_read(name, 1U << 20, &content, &why));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf bad = {0};
        buf_add(&bad, str_first(buf_str(&content), cases[i].keep < content.n
                                                       ? cases[i].keep
                                                       : content.n));
        if (bad.n > 0)
            bad.p[cases[i].at] = (char)cases[i].value;
        assert_true(file_write(name, buf_str(&bad), 0600, &why));
        if (holds_good() != (i == 0))
            fail_msg("%s", cases[i].name);
        buf_fini(&bad);
    }
    buf_fini(&content);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_or_perhaps),
        TEST(of_one_state),
        TEST(not_with_a_wal),
        TEST(damaged),
    };
    return cmocka_run_group_tests_name("journal/filter", tests, NULL, NULL);
}
