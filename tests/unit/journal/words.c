/* SPDX-License-Identifier: ISC */
/* The index of a day's file: blocks, merging, the open block. */
#include "journal/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/rows.h"
#include "journal/search.h"

#define LAST ((INT64_C(1) << 47) - 1)

static sqlite3 *db;
static struct err why;

static int
set_up(void **state)
{
    struct buf sql = {0};
    bool damaged;
    (void)state;

    db = sql_open(":memory:", SQLITE_OPEN_READWRITE, &why, &damaged);
    assert_non_null(db);
    rows_add_schema(&sql);
    assert_true(sql_run(db, buf_cstr(&sql), &why));
    buf_fini(&sql);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    sql_close(db);
    return 0;
}

/* The upper bits are what counts. */
static uint64_t
hash(uint64_t n)
{
    return n << 37;
}

static void
add_block(int64_t number, const struct word *list, size_t n)
{
    const struct words_block b = {.number = number,
                                  .events = (int64_t)n,
                                  .from_ms = number * 1000,
                                  .until_ms = number * 1000 + 999};
    assert_true(words_close_block(db, &b, list, n, &why));
}

/* "1 5 7" */
static void
assert_found(const char *name, int64_t block, uint64_t h, int64_t first,
             int64_t last, const char *want)
{
    struct buf ids = {0}, text = {0};
    sqlite3_stmt *s;

    assert_true(words_prepare_find(db, &s, &why));
    assert_true(words_find(s, block, h, first, last, &ids, &why));
    for (size_t i = 0; i < ids.n / sizeof(int64_t); i++)
        buf_addf(&text, "%s%lld", i == 0 ? "" : " ",
                 (long long)((int64_t *)(void *)ids.p)[i]);
    if (strcmp(buf_cstr(&text), want) != 0)
        fail_msg("%s: found %s, expected %s", name, text.p, want);
    (void)sqlite3_finalize(s);
    buf_fini(&ids);
    buf_fini(&text);
}

static void
one_block(void **state)
{
    enum { A = 5, B = 6, FAR = 1 << 20 };
    struct word list[] = {
        words_make(hash(B), 9), words_make(hash(FAR), 3),
        words_make(hash(A), 7), words_make(hash(A), 1),
        words_make(hash(A), 7), words_make(hash(A), LAST),
    };
    static const struct {
        const char *name;
        int64_t block;
        uint64_t h;
        int64_t first, last;
        const char *want;
    } cases[] = {
        {"ascending, once",   4, A,       0, LAST,      "1 7 140737488355327"},
        {"from",              4, A,       2, LAST,      "7 140737488355327"  },
        {"until",             4, A,       0, 7,         "1 7"                },
        {"between",           4, A,       2, 6,         ""                   },
        {"its neighbour",     4, B,       0, LAST,      "9"                  },
        {"another bucket",    4, FAR,     0, LAST,      "3"                  },
        {"no such word",      4, 7,       0, LAST,      ""                   },
        {"nor before all",    4, 1,       0, LAST,      ""                   },
        {"nor in its bucket", 4, FAR + 1, 0, LAST,      ""                   },
        {"an empty bucket",   4, 1 << 19, 0, LAST,      ""                   },
        {"the block before",  3, A,       0, LAST,      ""                   },
        {"the block behind",  5, A,       0, LAST,      ""                   },
        {"all of time",       4, B,       0, INT64_MAX, "9"                  },
    };
    (void)state;

    add_block(4, list, sizeof list / sizeof *list);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_found(cases[i].name, cases[i].block, hash(cases[i].h),
                     cases[i].first, cases[i].last, cases[i].want);
}

static int64_t
number_of(const char *sql)
{
    int64_t n;
    assert_true(sql_number(db, sql, &n, &why));
    return n;
}

/* A word of thousands of events is in one row, the others' rows stay small. */
static void
common_and_rare(void **state)
{
    enum { N = 20000 };
    struct word *list = calloc(N * 2, sizeof *list);
    struct buf ids = {0};
    sqlite3_stmt *s;
    (void)state;

    assert_non_null(list);
    for (int64_t i = 0; i < N; i++) {
        list[2 * i] = words_make(hash(77), i);
        list[2 * i + 1] =
            words_make(UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)i, i);
    }
    add_block(0, list, (size_t)N * 2);
    assert_true(words_prepare_find(db, &s, &why));
    assert_true(words_find(s, 0, hash(77), 0, LAST, &ids, &why));
    assert_true(ids.n >= N * sizeof(int64_t));
    assert_true(ids.n < (N + 10) * sizeof(int64_t));
    for (int64_t i = 0; i < N; i += 37) {
        bool there = false;
        buf_clear(&ids);
        assert_true(words_find(s, 0, UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)i,
                               0, LAST, &ids, &why));
        for (size_t k = 0; k < ids.n / sizeof(int64_t); k++)
            there = there || ((int64_t *)(void *)ids.p)[k] == i;
        assert_true(there);
    }
    assert_int_equal(
        number_of("SELECT count(*) FROM words WHERE length(entries) > 4061"),
        1);
    (void)sqlite3_finalize(s);
    buf_fini(&ids);
    free(list);
}

static void
merging(void **state)
{
    const struct word one[] = {words_make(hash(5), 1), words_make(hash(9), 1)},
                      two[] = {words_make(hash(5), 2),
                               words_make(hash(1 << 26), 2)},
                      three[] = {words_make(hash(5), 3)};
    (void)state;

    add_block(1, one, 2);
    add_block(2, two, 2);
    add_block(3, three, 1);
    assert_true(words_merge(db, 1, 4, &why));
    assert_found("all of three", 4, hash(5), 0, LAST, "1 2 3");
    assert_found("of the first", 4, hash(9), 0, LAST, "1");
    assert_found("of the last bucket", 4, hash(1 << 26), 0, LAST, "2");
    assert_found("the old one", 2, hash(5), 0, LAST, "");
    assert_int_equal(number_of("SELECT count(*) FROM block"), 1);
    assert_int_equal(number_of("SELECT events FROM block WHERE number = 4"
                               " AND level = 1"),
                     5);
    assert_int_equal(number_of("SELECT from_ms FROM block"), 1000);
    assert_int_equal(number_of("SELECT until_ms FROM block"), 3999);

    /* Again, with one that came later; an older one stays out. */
    add_block(0, one, 2);
    add_block(5, three, 1);
    assert_true(words_merge(db, 4, 6, &why));
    assert_found("once more", 6, hash(5), 0, LAST, "1 2 3");
    assert_found("left alone", 0, hash(5), 0, LAST, "1");
}

static void
open_block(void **state)
{
    const struct word first[] = {words_make(hash(5), 1),
                                 words_make(hash(1 << 26), 1)},
                      second[] = {words_make(hash(6), LAST)};
    struct words_block part = {.events = 1, .from_ms = 70, .until_ms = 80}, all;
    struct buf list = {0};
    (void)state;

    assert_true(words_add_fresh(db, &part, first, 2, &why));
    part = (struct words_block){.events = 2, .from_ms = 60, .until_ms = 75};
    assert_true(words_add_fresh(db, &part, second, 1, &why));
    assert_true(words_read_fresh(db, &all, &list, &why));
    assert_int_equal(all.events, 3);
    assert_int_equal(all.from_ms, 60);
    assert_int_equal(all.until_ms, 80);
    assert_int_equal(list.n, 3 * sizeof(struct word));
    const struct word *got = (const struct word *)(const void *)list.p;
    assert_true(words_is(&got[0], hash(5)) && words_id(&got[0]) == 1);
    assert_true(words_is(&got[1], hash(1 << 26)) && words_id(&got[1]) == 1);
    assert_true(words_is(&got[2], hash(6)) && words_id(&got[2]) == LAST);
    assert_false(words_is(&got[2], hash(5)));

    add_block(0, got, 3);
    assert_found("closed", 0, hash(6), 0, LAST, "140737488355327");
    assert_true(words_read_fresh(db, &all, &list, &why));
    assert_int_equal(all.events, 0);
    assert_int_equal(list.n, 0);
    buf_fini(&list);
}

static bool
on_id(void *ctx, int64_t id, bool *enough, struct err *e)
{
    struct buf *text = ctx;
    (void)enough;
    (void)e;
    buf_addf(text, "%lld ", (long long)id);
    return true;
}

/* A disk that lies: fewer events are found, nothing else happens. */
static void
damaged_rows(void **state)
{
    static const char *const cases[] = {
        "UPDATE words SET entries = x''",
        "UPDATE words SET entries = x'0102030405'",
        "UPDATE words SET entries = zeroblob(801)",
        "UPDATE words SET entries = x'ffffffffffffffffff'",
        "UPDATE words SET key = key + 1",
        "UPDATE words SET key = -1",
        "INSERT INTO fresh VALUES (1, 1, 0, 0, x'ffffffffffffffffffffff')",
        "INSERT INTO fresh VALUES (1, -5, 9, 0, x'ff')",
        "INSERT INTO block VALUES (9223372036854775807, 0, 1, 0, 5000)",
        "INSERT INTO block VALUES (-9223372036854775807, 0, 1, 0, 5000)",
    };
    const struct word list[] = {words_make(hash(5), 1), words_make(hash(6), 2)};
    const uint64_t words[] = {hash(5), hash(5)};
    const struct search_question q = {
        .words = words, .n = 2, .until_ms = 5000, .last_id = LAST};
    (void)state;

    add_block(1, list, 2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct search s;
        struct buf text = {0};
        assert_true(sql_run(db, "SAVEPOINT a", &why));
        if (!sql_run(db, cases[i], &why))
            fail_msg("%s: %s", cases[i], why.text);
        assert_true(search_begin(&s, db, &why));
        assert_true(search_run(&s, &q, on_id, &text, &why));
        if (i >= 6 && i < 9 && strcmp(buf_cstr(&text), "1 ") != 0)
            fail_msg("%s: found %s", cases[i], text.p);
        search_end(&s);
        if (i < 8)
            assert_true(words_merge(db, 0, 7, &why));
        buf_fini(&text);
        assert_true(sql_run(db, "ROLLBACK TO a; RELEASE a", &why));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_block),  TEST(common_and_rare), TEST(merging),
        TEST(open_block), TEST(damaged_rows),
    };
    return cmocka_run_group_tests_name("journal/words", tests, NULL, NULL);
}
