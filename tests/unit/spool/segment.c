/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "simdisk.h"
#include "spool/append.h"
#include "spool/scan.h"

enum { SIZE = 256 << 10 };

static const struct format_seed seed = {7, 3};

struct stage {
    struct simdisk *disk;
    const struct disk *d;
    int dir, fd;
    struct append out;
};

static void
open_stage(struct stage *x)
{
    x->disk = simdisk_new();
    x->d = simdisk_disk(x->disk);
    x->dir = simdisk_root(x->disk);
    x->fd = x->d->open(x->d->self, x->dir, "s", DISK_WRITE | DISK_CREATE);
    assert_int_equal(x->d->truncate(x->d->self, x->fd, SIZE), 0);
    append_init(&x->out, x->d, x->fd, seed, SIZE);
}

static void
close_stage(struct stage *x)
{
    append_fini(&x->out);
    (void)x->d->close(x->d->self, x->fd);
    (void)x->d->close(x->d->self, x->dir);
    simdisk_free(x->disk);
}

/* A batch of n records whose content says their number. */
static void
add_batch(struct stage *x, int n, size_t content_size)
{
    static char bytes[65536];
    struct err e;
    for (int i = 0; i < n; i++) {
        struct str content = {bytes, content_size};
        char meta[8] = "meta";
        meta[4] = (char)('0' + (x->out.seq + x->out.count) % 10);
        assert_true(append_fits(&x->out, 5, content.n));
        (void)append_add(&x->out, 1, 0, (struct str){meta, 5}, &content, 1,
                         format_sum(content));
    }
    assert_true(append_write(&x->out, &e));
}

struct found {
    int records, corrupt;
    uint64_t corrupt_at, end;
    char metas[64];
};

static struct found
scan_all(struct stage *x, struct format_seed with, uint64_t limit,
         uint64_t durable)
{
    struct found f = {0};
    struct scan s;
    struct scan_record r;
    struct err e;
    enum scan_result got;
    scan_init(&s, x->d, x->fd, with, SIZE);
    s.limit = limit;
    s.durable = durable;
    while ((got = scan_next(&s, &r, &e)) != SCAN_END) {
        assert_int_not_equal(got, SCAN_ERROR);
        if (got == SCAN_RECORD) {
            assert_int_equal(r.meta.n, 5);
            f.metas[f.records++] = r.meta.p[4];
        } else {
            f.corrupt++;
            f.corrupt_at = r.offset;
        }
    }
    f.end = s.at;
    scan_fini(&s);
    return f;
}

static void
reads_what_was_written(void **state)
{
    struct stage x;
    (void)state;
    open_stage(&x);
    add_batch(&x, 3, 100);
    add_batch(&x, 1, 20000);
    add_batch(&x, 2, 0);
    struct found f = scan_all(&x, seed, SIZE, FORMAT_BLOCK);
    assert_int_equal(f.records, 6);
    assert_string_equal(f.metas, "012345");
    assert_int_equal(f.corrupt, 0);
    assert_int_equal(f.end, x.out.at);
    // Up to a limit, which is where a batch ends.
    assert_int_equal(scan_all(&x, seed, 2 * FORMAT_BLOCK, SIZE).records, 3);
    close_stage(&x);
}

static void
another_generation_is_nothing(void **state)
{
    struct stage x;
    struct format_seed later = {7, 4}, other = {8, 3};
    (void)state;
    open_stage(&x);
    add_batch(&x, 3, 100);
    assert_int_equal(scan_all(&x, later, SIZE, FORMAT_BLOCK).records, 0);
    assert_int_equal(scan_all(&x, other, SIZE, FORMAT_BLOCK).records, 0);
    close_stage(&x);
}

static void
a_torn_tail_is_set_aside(void **state)
{
    struct stage x;
    (void)state;
    open_stage(&x);
    add_batch(&x, 2, 100);
    add_batch(&x, 2, 5000);
    add_batch(&x, 2, 100); // written, but not durable either
    assert_true(simdisk_damage(x.disk, "s", 2 * FORMAT_BLOCK + 6000));
    struct found f = scan_all(&x, seed, SIZE, FORMAT_BLOCK);
    assert_int_equal(f.records, 3);
    assert_int_equal(f.corrupt, 0);
    close_stage(&x);
}

static void
damage_below_the_mark_is_corruption(void **state)
{
    static const struct {
        const char *name;
        uint64_t at;
        int records;
    } cases[] = {
        {"batch header",  FORMAT_BLOCK + 3,                       4},
        {"record header", FORMAT_BLOCK + FORMAT_BATCH + 2,        4},
        {"meta",          FORMAT_BLOCK + FORMAT_BATCH + 42,       4},
        {"content",       FORMAT_BLOCK + FORMAT_BATCH + 60,       4},
        {"second batch",  2 * FORMAT_BLOCK + FORMAT_BATCH + 4000, 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage x;
        open_stage(&x);
        add_batch(&x, 2, 100);
        add_batch(&x, 2, 5000);
        x.out.durable = x.out.at; // the third batch knows
        add_batch(&x, 2, 100);
        assert_true(simdisk_damage(x.disk, "s", cases[i].at));
        struct found f = scan_all(&x, seed, SIZE, FORMAT_BLOCK);
        if (f.records != cases[i].records || f.corrupt != 1)
            fail_msg("%s: %d records, %d corrupt", cases[i].name, f.records,
                     f.corrupt);
        assert_true(f.corrupt_at <= cases[i].at);
        close_stage(&x);
    }
}

static void
a_watermark_knows_without_a_mark(void **state)
{
    struct stage x;
    (void)state;
    open_stage(&x);
    add_batch(&x, 2, 100);
    assert_true(simdisk_damage(x.disk, "s", FORMAT_BLOCK + 50));
    assert_int_equal(scan_all(&x, seed, SIZE, FORMAT_BLOCK).corrupt, 0);
    assert_int_equal(scan_all(&x, seed, SIZE, x.out.at).corrupt, 1);
    close_stage(&x);
}

static void
fits_exactly(void **state)
{
    struct stage x;
    uint64_t room = SIZE - FORMAT_BLOCK - FORMAT_BATCH - FORMAT_RECORD - 8;
    (void)state;
    open_stage(&x);
    assert_true(append_fits(&x.out, 8, room));
    assert_false(append_fits(&x.out, 8, room + 1));
    assert_true(append_fits_size(SIZE, 8, room));
    assert_false(append_fits_size(SIZE, 8, room + 1));
    add_batch(&x, 1, 60000);
    assert_false(append_fits(&x.out, 8, room - 60000));
    close_stage(&x);
}

static void
short_writes_and_no_room(void **state)
{
    struct stage x;
    struct err e;
    (void)state;
    open_stage(&x);
    simdisk_short_writes(x.disk, 700);
    add_batch(&x, 3, 5000);
    simdisk_short_writes(x.disk, 0);
    assert_int_equal(scan_all(&x, seed, SIZE, SIZE).records, 3);
    uint64_t before = x.out.at;
    simdisk_fail(x.disk, 1, 1, 28);
    struct str content = STR("x");
    (void)append_add(&x.out, 1, 0, STR("metaX"), &content, 1, 0);
    assert_false(append_write(&x.out, &e));
    assert_int_equal(x.out.at, before);
    close_stage(&x);
}

static void
headers(void **state)
{
    unsigned char block[FORMAT_BLOCK];
    struct segment_header h = {.segment = 9,
                               .generation = 2,
                               .writer = 77,
                               .ordinal = 5,
                               .size = SIZE,
                               .kind = SEGMENT_COPY},
                          got;
    (void)state;
    format_header(block, &h);
    assert_true(format_parse_header(block, &got));
    assert_memory_equal(&h, &got, sizeof h);
    for (size_t i = 0; i < FORMAT_HEADER; i++) {
        block[i] ^= 1;
        assert_false(format_parse_header(block, &got));
        block[i] ^= 1;
    }
}

static void
sums_in_pieces(void **state)
{
    struct format_running *r = format_running_new();
    (void)state;
    format_running_add(r, STR("one "));
    format_running_add(r, STR(""));
    format_running_add(r, STR("piece"));
    assert_true(format_running_result(r) == format_sum(STR("one piece")));
    format_running_restart(r);
    assert_true(format_running_result(r) == format_sum(STR("")));
    format_running_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(another_generation_is_nothing),
        cmocka_unit_test(a_torn_tail_is_set_aside),
        cmocka_unit_test(damage_below_the_mark_is_corruption),
        cmocka_unit_test(a_watermark_knows_without_a_mark),
        cmocka_unit_test(fits_exactly),
        cmocka_unit_test(short_writes_and_no_room),
        cmocka_unit_test(headers),
        cmocka_unit_test(sums_in_pieces),
    };
    return cmocka_run_group_tests_name("spool/segment", tests, NULL, NULL);
}
