/* SPDX-License-Identifier: ISC */
/*
 * The start of a spool on segments somebody else has written. The first octet
 * says how: raw (the input is what lies behind the header) or made up (each
 * record has a checksum that holds, and says what the input wants; then some
 * octets are damaged), and whether a made-up summary lies beside. Whatever is
 * found must be listed, read, delivered and survive a second start.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "spool/append.h"
#include "spool/record.h"
#include "spool/summary.h"
#include "spoolrig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { SIZE = 256 << 10, RAW = 1, DAMAGE = 2, SUMMARY = 4, SETTLED = 4096 };

static int
make_segment(struct simdisk *disk, uint64_t number, enum segment_kind kind)
{
    const struct disk *d = simdisk_disk(disk);
    unsigned char block[FORMAT_BLOCK];
    struct segment_header h = {.segment = number,
                               .generation = 3,
                               .writer = kind == SEGMENT_DATA ? 1 : 0,
                               .ordinal = 1,
                               .size = SIZE,
                               .kind = kind};
    struct iovec part = {block, sizeof block};
    int dir = simdisk_root(disk);
    int fd = d->open(d->self, dir, number == 2 ? "segment-2" : "segment-3",
                     DISK_WRITE | DISK_CREATE);
    format_header(block, &h);
    (void)d->truncate(d->self, fd, SIZE);
    (void)d->write_at(d->self, fd, &part, 1, 0);
    (void)d->close(d->self, dir);
    return fd;
}

static void
write_raw(const struct disk *d, int fd, const uint8_t *data, size_t n)
{
    struct iovec part = {(void *)(uintptr_t)data,
                         math_min(n, SIZE - FORMAT_BLOCK)};
    (void)d->write_at(d->self, fd, &part, 1, FORMAT_BLOCK);
}

/* u8 type, u8 flags, u8 content, u16 meta, then meta: into the data segment
 * if it is a message, else into the ledger; every fifth ends a batch. */
static void
write_records(const struct disk *d, int data_fd, int ledger_fd,
              const uint8_t *data, size_t n)
{
    struct append out[2];
    struct err e;
    append_init(&out[0], d, data_fd, (struct format_seed){2, 3}, SIZE);
    append_init(&out[1], d, ledger_fd, (struct format_seed){3, 3}, SIZE);
    for (int count = 1; n >= 5; count++) {
        uint8_t type = data[0] % (RECORD_TYPES + 1), flags = data[1];
        static const char text[256];
        struct str content = {text, data[2]};
        size_t meta_n = (size_t)data[3] | (size_t)(data[4] & 15) << 8;
        struct append *a = &out[type != RECORD_MESSAGE];
        data += 5;
        n -= 5;
        struct str meta = {(const char *)data, math_min(meta_n, n)};
        data += meta.n;
        n -= meta.n;
        if (!append_fits(a, meta.n, content.n))
            break;
        (void)append_add(a, type, flags, meta, &content, 1,
                         format_sum(content));
        if (count % 5 == 0 && !append_write(a, &e))
            break;
    }
    (void)append_write(&out[0], &e);
    (void)append_write(&out[1], &e);
    append_fini(&out[0]);
    append_fini(&out[1]);
}

/* u8 pieces, then for each u8 how many blocks on, u8 count, u16 octets of
 * entries: all with checksums that hold. */
static void
write_summary(struct simdisk *disk, const uint8_t *data, size_t n)
{
    const struct disk *d = simdisk_disk(disk);
    struct format_seed seed = {2, 3};
    struct summary_piece p = {.end = SIZE, .upto = FORMAT_BLOCK};
    struct buf file = {0};
    size_t pieces = n > 0 ? data[0] % 4u : 0;
    int dir = simdisk_root(disk);

    for (n -= n > 0, data++; pieces > 0 && n >= 4; pieces--) {
        size_t octets = (size_t)data[2] | (size_t)(data[3] & 15) << 8;
        p.upto += (uint64_t)data[0] * FORMAT_BLOCK;
        p.count = data[1];
        data += 4;
        n -= 4;
        p.octets = (uint32_t)math_min(octets, n);
        summary_add_piece(&file, seed, file.n, &p, str_from_n(data, p.octets));
        p.first += p.count;
        data += p.octets;
        n -= p.octets;
    }
    struct iovec part = {file.p, file.n};
    int fd = d->open(d->self, dir, "summary-2", DISK_WRITE | DISK_CREATE);
    if (file.n > 0)
        (void)d->write_at(d->self, fd, &part, 1, 0);
    (void)d->close(d->self, fd);
    (void)d->close(d->self, dir);
    buf_fini(&file);
}

static bool
look(void *ctx, const struct spool_view *v)
{
    struct buf content = {0};
    struct err e;
    (void)spool_read(ctx, &v->at, &content, &e);
    buf_fini(&content);
    return true;
}

/* Some of what is due; a record may claim a hundred thousand recipients. */
static void
work(struct rig *r)
{
    struct arena a = {0};
    struct spool_claim c;
    size_t left = SETTLED;

    for (int i = 0; i < 20 && left > 0; i++) {
        if (!spool_claim(r->store, r->now, &a, &c))
            break;
        for (size_t k = 0; k < c.n_rcpts && left > 0; k++, left--) {
            struct spool_settlement x = {
                .id = c.id, .rcpt = c.rcpts[k].index, .notice = NOTICE_BOUNCE};
            x.verdict.outcome = k % 2 == 0 ? OUTCOME_REFUSED : OUTCOME_LATER;
            (void)spool_settle(r->store, &x);
        }
    }
    arena_fini(&a);
}

static void
use(struct simdisk *disk)
{
    struct rig r = {
        .disk = disk, .now = {.wall_ms = INT64_MAX / 2, .mono_ms = 1000}
    };
    struct arena a = {0};
    struct spool_notice notice;

    if (!rig_store_start(&r))
        return;
    spool_log_store_roll_call(r.store);
    rig_settle(&r);
    spool_list(r.store, look, r.store);
    work(&r);
    while (spool_next_notice(r.store, &a, &notice))
        spool_notice_declined(r.store, notice.key);
    rig_settle(&r);
    arena_fini(&a);
    rig_stop(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct simdisk *disk = simdisk_new();
    const struct disk *d = simdisk_disk(disk);
    int data_fd = make_segment(disk, 2, SEGMENT_DATA);
    int ledger_fd = make_segment(disk, 3, SEGMENT_LEDGER);

    if (n > 0 && (data[0] & RAW) != 0)
        write_raw(d, (data[0] & DAMAGE) != 0 ? ledger_fd : data_fd, data + 1,
                  n - 1);
    else if (n > 0)
        write_records(d, data_fd, ledger_fd, data + 1, n - 1);
    if (n > 8 && (data[0] & RAW) == 0 && (data[0] & DAMAGE) != 0) {
        uint64_t at = (uint64_t)data[n - 1] << 8 | data[n - 2];
        (void)simdisk_damage(disk, "segment-2", FORMAT_BLOCK + at % 32768);
        (void)simdisk_damage(disk, "segment-3", FORMAT_BLOCK + at % 8192);
    }
    (void)d->close(d->self, data_fd);
    (void)d->close(d->self, ledger_fd);
    if (n > 1 && (data[0] & SUMMARY) != 0)
        write_summary(disk, data + 1, n - 1);
    use(disk);
    use(disk);
    simdisk_free(disk);
    return 0;
}
