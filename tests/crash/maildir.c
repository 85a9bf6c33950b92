/* SPDX-License-Identifier: ISC */
/*
 * The Maildir writer on a disk that forgets: stopped after every operation,
 * and with every operation failing. At each moment, whatever of the unsynced
 * survives:
 *
 *     what was called delivered lies whole in new/;
 *     nothing in new/ is a part of a file;
 *     delivering all again leaves each message there exactly once.
 */
#include "mailbox/maildir.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/math.h"
#include "simdisk.h"

enum { ROUNDS = 2, GROUP = 3, MESSAGES = ROUNDS * GROUP, SEEDS = 4 };

/* Message i goes to box i % 2 of one domain, which nobody has made yet. */
static const char *const boxes[] = {"/mail/d/ann", "/mail/d/bob"};

struct text {
    size_t message, at;
};

struct world {
    struct simdisk *disk;
    struct disk table; /* the disk's, with paths of several parts */
    struct maildir maildir;
    bool delivered[MESSAGES];
    bool checking;
};

/* ---- paths: the simulated disk makes folders by single names only -------- */

static const struct disk *inner;

static int
sim_make_dir(void *self, int dir, const char *path, unsigned mode)
{
    const char *slash = strrchr(path, '/');
    char parent[200];
    int at, result, error;

    if (slash == NULL)
        return inner->make_dir(self, dir, path, mode);
    assert_true((size_t)(slash - path) < sizeof parent);
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    at = inner->open_dir(self, dir, parent);
    if (at < 0)
        return -1;
    result = inner->make_dir(self, at, slash + 1, mode);
    error = errno;
    (void)inner->close(self, at);
    errno = error;
    return result;
}

static void
world_use(struct world *w, struct simdisk *d, bool whole)
{
    *w = (struct world){.disk = d};
    inner = simdisk_disk(d);
    w->table = *inner;
    w->table.make_dir = sim_make_dir;
    w->maildir = (struct maildir){
        .disk = &w->table, .root = simdisk_root(d), .whole = whole};
}

static void
world_end(struct world *w)
{
    (void)inner->close(w->table.self, w->maildir.root);
    simdisk_free(w->disk);
}

/* ---- messages ------------------------------------------------------------ */

/* A different length and content for each, longer than a page now and then. */
static size_t
length_of(size_t message)
{
    return 700 + message * 1700;
}

static char
octet_of(size_t message, size_t at)
{
    return (char)('a' + (message * 7 + at / 100) % 26);
}

static bool
read_text(void *ctx, struct buf *to, bool *end, struct err *e)
{
    struct text *t = ctx;
    size_t n = math_min(length_of(t->message) - t->at, 1000);
    (void)e;
    for (size_t i = 0; i < n; i++)
        buf_add_char(to, octet_of(t->message, t->at + i));
    t->at += n;
    *end = t->at == length_of(t->message);
    return true;
}

static const char *const names[MESSAGES] = {"m0", "m1", "m2", "m3", "m4", "m5"};

static void
deliver(struct world *w, size_t first, size_t n, bool repeated)
{
    struct maildir_item items[MESSAGES] = {0};
    struct text texts[MESSAGES] = {0};

    for (size_t i = 0; i < n; i++) {
        texts[i].message = first + i;
        items[i].path = str_from(boxes[(first + i) % 2]);
        items[i].name = str_from(names[first + i]);
        items[i].repeated = repeated;
        items[i].read = read_text;
        items[i].ctx = &texts[i];
    }
    maildir_deliver(&w->maildir, items, n);
    for (size_t i = 0; i < n; i++)
        if (items[i].verdict.outcome == OUTCOME_DELIVERED)
            w->delivered[first + i] = true;
        else
            assert_int_equal(items[i].verdict.outcome, OUTCOME_LATER);
}

/* ---- what may be found --------------------------------------------------- */

struct found {
    const struct world *w;
    int dir;
    size_t times[MESSAGES];
};

static void
check_whole(const struct found *f, size_t message, const char *name)
{
    const struct disk *d = &f->w->table;
    char got[16384];
    int fd = d->open(d->self, f->dir, name, DISK_READ);

    assert_true(fd >= 0);
    if (d->size(d->self, fd) != (int64_t)length_of(message))
        fail_msg("%s: %lld octets of %zu", name,
                 (long long)d->size(d->self, fd), length_of(message));
    assert_int_equal(d->read_at(d->self, fd, got, sizeof got, 0),
                     length_of(message));
    for (size_t i = 0; i < length_of(message); i++)
        if (got[i] != octet_of(message, i))
            fail_msg("%s: octet %zu is another", name, i);
    (void)d->close(d->self, fd);
}

static void
on_name(void *ctx, const char *name)
{
    struct found *f = ctx;
    size_t message = (size_t)(name[1] - '0');

    assert_true(name[0] == 'm' && message < MESSAGES && name[2] == '\0');
    f->times[message]++;
    check_whole(f, message, name);
}

static void
look(const struct world *w, struct found *f)
{
    *f = (struct found){.w = w};
    for (size_t i = 0; i < 2; i++) {
        struct buf path = {0};
        buf_addf(&path, "%s/new", boxes[i] + 1);
        f->dir =
            w->table.open_dir(w->table.self, w->maildir.root, buf_cstr(&path));
        if (f->dir >= 0) {
            (void)w->table.list(w->table.self, f->dir, on_name, f);
            (void)w->table.close(w->table.self, f->dir);
        }
        buf_fini(&path);
    }
}

/* The disk as it could be found after power loss now, and a new life on it. */
static void
check_after(const struct world *w, enum simdisk_fate fate, uint64_t seed)
{
    struct world after;
    struct found f;

    world_use(&after, simdisk_crash(w->disk, fate, seed), w->maildir.whole);
    look(&after, &f);
    for (size_t i = 0; i < MESSAGES; i++)
        if (w->delivered[i] && f.times[i] != 1)
            fail_msg("message %zu was delivered and is there %zu times", i,
                     f.times[i]);
    deliver(&after, 0, MESSAGES, true);
    look(&after, &f);
    for (size_t i = 0; i < MESSAGES; i++)
        if (!after.delivered[i] || f.times[i] != 1)
            fail_msg("message %zu is there %zu times", i, f.times[i]);
    world_end(&after);
    inner = simdisk_disk(w->disk);
}

static void
check_now(void *ctx)
{
    struct world *w = ctx;

    if (w->checking)
        return;
    w->checking = true;
    check_after(w, SIMDISK_DROP, 1);
    check_after(w, SIMDISK_KEEP, 1);
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        check_after(w, SIMDISK_TEAR, seed * 77 + simdisk_ops(w->disk));
    w->checking = false;
}

static void
work(struct world *w)
{
    for (size_t round = 0; round < ROUNDS; round++)
        deliver(w, round * GROUP, GROUP, false);
}

static void
stopped_anywhere(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        struct world w;
        world_use(&w, simdisk_new(), whole);
        simdisk_on_op(w.disk, check_now, &w);
        work(&w);
        check_now(&w);
        for (size_t i = 0; i < MESSAGES; i++)
            assert_true(w.delivered[i]);
        assert_true(simdisk_ops(w.disk) > 20);
        world_end(&w);
    }
}

/* The n-th operation fails, and the power goes at the end. */
static void
failing_anywhere(void **state)
{
    static const int errors[] = {EIO, ENOSPC};
    (void)state;
    for (int whole = 0; whole < 2; whole++)
        for (size_t k = 0; k < 2; k++)
            for (uint64_t n = 1;; n++) {
                struct world w;
                uint64_t ops;
                world_use(&w, simdisk_new(), whole);
                simdisk_fail(w.disk, n, 1, errors[k]);
                work(&w);
                ops = simdisk_ops(w.disk);
                check_now(&w);
                world_end(&w);
                if (n > ops)
                    break;
            }
}

static void
short_writes(void **state)
{
    struct world w;
    (void)state;
    world_use(&w, simdisk_new(), false);
    simdisk_short_writes(w.disk, 300);
    work(&w);
    check_now(&w);
    assert_true(w.delivered[MESSAGES - 1]);
    world_end(&w);
}

static void
moved_by_a_reader(void **state)
{
    struct world w;
    int from, to;
    struct found f;
    (void)state;
    world_use(&w, simdisk_new(), false);
    work(&w);
    from = w.table.open_dir(w.table.self, w.maildir.root, "mail/d/ann/new");
    to = w.table.open_dir(w.table.self, w.maildir.root, "mail/d/ann/cur");
    assert_int_equal(w.table.rename(w.table.self, from, "m0", to, "m0:2,S"), 0);
    (void)w.table.close(w.table.self, from);
    (void)w.table.close(w.table.self, to);
    deliver(&w, 0, MESSAGES, true);
    look(&w, &f);
    assert_int_equal(f.times[0], 0); // it lies in cur/, not in new/ again
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_anywhere),
        cmocka_unit_test(failing_anywhere),
        cmocka_unit_test(short_writes),
        cmocka_unit_test(moved_by_a_reader),
    };
    return cmocka_run_group_tests_name("crash/maildir", tests, NULL, NULL);
}
