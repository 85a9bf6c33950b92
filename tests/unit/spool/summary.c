/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "spool/summary.h"

static const struct format_seed seed = {7, 3};

enum { BATCH = 3, ENTRIES = 900, SIZE = 64 << 20, META = 100 };

/* Three records a batch, each batch in a block of its own. */
static struct summary_entry
entry(size_t i)
{
    return (struct summary_entry){
        .id = {5, i},
        .size = 10 * i,
        .large = i % 7 == 0 ? i + 1 : 0,
        .arrived_ms = (int64_t)(1000 + i),
        .offset =
            FORMAT_BLOCK * (1 + i / BATCH) + FORMAT_BATCH + i % BATCH * 200,
        .length = 200,
        .meta = META,
        .rcpts = (uint32_t)(1 + i % 5),
        .flags = i % 2,
        .last = i % BATCH == BATCH - 1,
        .notice = i % 11 == 0 ? STR("K-1.b.0") : STR_EMPTY
    };
}

/* Where the batch of the i-th record ends. */
static uint64_t
end_of(size_t i)
{
    return FORMAT_BLOCK * (2 + i / BATCH);
}

static void
gather(struct buf *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct summary_entry e = entry(i);
        summary_add_entry(entries, &e);
    }
}

struct found {
    size_t entries, pieces;
    uint64_t upto;
};

/* As the start reads it. */
static struct found
read_all(struct str file)
{
    struct found f = {.upto = FORMAT_BLOCK};
    struct summary_piece p;
    size_t at = 0;

    while (file.n - at >= SUMMARY_PIECE) {
        struct str rest = str_from_pos(file, at);
        if (!summary_parse_piece((const unsigned char *)rest.p, seed, at, &p) ||
            p.first != f.entries || p.octets > rest.n - SUMMARY_PIECE)
            break;
        struct str entries = {rest.p + SUMMARY_PIECE, p.octets};
        if (!summary_verify(&p, f.upto, SIZE, entries))
            break;
        struct wire in = wire_from(entries);
        for (uint32_t i = 0; i < p.count; i++) {
            struct summary_entry got, want = entry(f.entries++);
            assert_true(summary_take_entry(&in, &got));
            assert_true(str_eq(got.notice, want.notice));
            assert_int_equal(got.id.seq, want.id.seq);
            assert_int_equal(got.size, want.size);
            assert_int_equal(got.large, want.large);
            assert_int_equal(got.arrived_ms, want.arrived_ms);
            assert_int_equal(got.offset, want.offset);
            assert_int_equal(got.rcpts, want.rcpts);
            assert_int_equal(got.flags, want.flags);
            assert_int_equal(got.last, want.last);
        }
        f.upto = p.upto;
        f.pieces++;
        at += SUMMARY_PIECE + p.octets;
    }
    return f;
}

static void
comes_back_as_it_was(void **state)
{
    struct buf entries = {0}, file = {0};
    struct summary_plan plan = {.durable = SIZE, .end = SIZE};
    (void)state;
    gather(&entries, ENTRIES);
    summary_cut(&file, seed, &plan, buf_str(&entries));
    struct found f = read_all(buf_str(&file));
    assert_int_equal(f.entries, ENTRIES);
    assert_true(f.pieces > 2);
    assert_int_equal(f.upto, end_of(ENTRIES - 1));
    buf_fini(&entries);
    buf_fini(&file);
}

/* Only whole batches below the mark. */
static void
ends_where_it_is_not_durable(void **state)
{
    static const struct {
        uint64_t durable;
        size_t entries;
    } cases[] = {
        {0,                    0          },
        {FORMAT_BLOCK,         0          },
        {2 * FORMAT_BLOCK - 1, 0          },
        {2 * FORMAT_BLOCK,     BATCH      },
        {9 * FORMAT_BLOCK,     8 * BATCH  },
        {9 * FORMAT_BLOCK + 9, 8 * BATCH  },
        {200 * FORMAT_BLOCK,   199 * BATCH},
        {SIZE,                 ENTRIES - 2}, // the last batch goes on
    };
    struct buf entries = {0};
    (void)state;
    gather(&entries, ENTRIES - 2 + 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf file = {0};
        struct summary_plan plan = {.durable = cases[i].durable, .end = SIZE};
        summary_cut(&file, seed, &plan, buf_str(&entries));
        struct found f = read_all(buf_str(&file));
        assert_int_equal(f.entries, cases[i].entries / BATCH * BATCH);
        assert_int_equal(file.n == 0, f.entries == 0);
        buf_fini(&file);
    }
    buf_fini(&entries);
}

static void
any_octet_damaged(void **state)
{
    struct buf entries = {0}, file = {0};
    struct summary_plan plan = {.durable = SIZE, .end = SIZE};
    (void)state;
    gather(&entries, ENTRIES);
    summary_cut(&file, seed, &plan, buf_str(&entries));
    struct found whole = read_all(buf_str(&file));
    for (size_t i = 0; i < file.n; i++) {
        file.p[i] = (char)(file.p[i] ^ 0x10);
        struct found f = read_all(buf_str(&file));
        // Damage to the four octets that say nothing is noticed, too.
        assert_true(f.pieces < whole.pieces);
        assert_int_equal(f.upto,
                         f.entries == 0 ? FORMAT_BLOCK : end_of(f.entries - 1));
        file.p[i] = (char)(file.p[i] ^ 0x10);
        i += i > 3 * SUMMARY_PIECE ? 50 : 0;
    }
    buf_fini(&entries);
    buf_fini(&file);
}

/* It is another's, by its name, its generation or its place. */
static void
of_another_segment(void **state)
{
    struct buf entries = {0}, file = {0};
    struct summary_plan plan = {.durable = SIZE, .end = SIZE};
    struct summary_piece p;
    (void)state;
    gather(&entries, BATCH);
    summary_cut(&file, seed, &plan, buf_str(&entries));
    const unsigned char *head = (const unsigned char *)file.p;
    assert_true(summary_parse_piece(head, seed, 0, &p));
    assert_false(summary_parse_piece(head, (struct format_seed){7, 4}, 0, &p));
    assert_false(summary_parse_piece(head, (struct format_seed){8, 3}, 0, &p));
    assert_false(summary_parse_piece(head, seed, 1, &p));
    buf_fini(&entries);
    buf_fini(&file);
}

/* Checksums that hold do not make sense of what is behind them. */
static void
what_cannot_be(void **state)
{
    static const struct {
        const char *what;
        struct summary_entry e;
        uint64_t size;
    } cases[] = {
        {"before its piece",            {.offset = 8, .length = 200, .meta = 9}, SIZE},
        {"behind its piece",
         {.offset = 3 * FORMAT_BLOCK, .length = 200, .meta = 9},
         SIZE                                                                        },
        {"longer than its piece",
         {.offset = FORMAT_BLOCK, .length = 5000, .meta = 9},
         SIZE                                                                        },
        {"no room for a header",        {.offset = FORMAT_BLOCK, .length = 8},   SIZE},
        {"meta beyond the record",
         {.offset = FORMAT_BLOCK, .length = 200, .meta = 161},
         SIZE                                                                        },
        {"more recipients than octets",
         {.offset = FORMAT_BLOCK, .length = 200, .meta = 9, .rcpts = 10},
         SIZE                                                                        },
        {"at no place of a record",
         {.offset = FORMAT_BLOCK + 4, .length = 200, .meta = 9},
         SIZE                                                                        },
        {"beyond the segment",
         {.offset = FORMAT_BLOCK, .length = 200, .meta = 9},
         FORMAT_BLOCK                                                                },
    };
    struct summary_piece p = {
        .end = 2 * FORMAT_BLOCK, .upto = 2 * FORMAT_BLOCK, .count = 1};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        summary_add_entry(&b, &cases[i].e);
        p.octets = (uint32_t)b.n;
        p.sum = format_sum(buf_str(&b));
        if (summary_verify(&p, FORMAT_BLOCK, cases[i].size, buf_str(&b)))
            fail_msg("%s", cases[i].what);
        buf_fini(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was),
        cmocka_unit_test(ends_where_it_is_not_durable),
        cmocka_unit_test(any_octet_damaged),
        cmocka_unit_test(of_another_segment),
        cmocka_unit_test(what_cannot_be),
    };
    return cmocka_run_group_tests_name("spool/summary", tests, NULL, NULL);
}
