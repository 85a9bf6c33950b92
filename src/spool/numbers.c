/* SPDX-License-Identifier: ISC */
/*
 * The counter: one row of numbers for writers, segments and large files, so
 * that none is ever given out twice. On disk stands a limit that is durable
 * before any number below it is used; a crash skips what was left of it.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/wire.h"
#include "spool/io.h"
#include "spool/store_internal.h"

enum { AHEAD = 4096, FILE_SIZE = 24 };
#define MAGIC UINT64_C(0x31746e756f635047) /* "GPcount1" */

/* Replaces the file: a new one is synced, renamed, and the name synced. */
static bool
write_limit(const struct disk *disk, int dir, uint64_t limit, struct err *e)
{
    struct buf b = {0};
    struct iovec part;
    bool ok;

    wire_add_u64(&b, MAGIC);
    wire_add_u64(&b, limit);
    wire_add_u64(&b, format_sum(buf_str(&b)));
    part = (struct iovec){b.p, b.n};
    int fd =
        disk->open(disk->self, dir, "counter.new", DISK_WRITE | DISK_CREATE);
    if (fd < 0) {
        buf_fini(&b);
        return err_sys(e, "open", "counter.new");
    }
    ok = io_write(disk, fd, &part, 1, 0, "counter.new", e);
    if (ok && disk->sync(disk->self, fd) != 0)
        ok = err_sys(e, "sync", "counter.new");
    (void)disk->close(disk->self, fd);
    buf_fini(&b);
    if (ok && disk->rename(disk->self, dir, "counter.new", dir, "counter") != 0)
        ok = err_sys(e, "rename", "counter.new");
    if (ok && disk->sync(disk->self, dir) != 0)
        ok = err_sys(e, "sync", "spool folder");
    return ok;
}

/* false with e->code 0: there is a file, but it is not a counter. */
static bool
read_limit(const struct disk *disk, int dir, uint64_t *limit, struct err *e)
{
    char bytes[FILE_SIZE];
    int fd = disk->open(disk->self, dir, "counter", DISK_READ);
    *limit = 1;
    if (fd < 0)
        return errno == ENOENT || err_sys(e, "open", "counter");
    bool ok = io_read(disk, fd, bytes, sizeof bytes, 0, "counter", e);
    (void)disk->close(disk->self, fd);
    if (!ok)
        return false;
    struct wire in = wire_from(str_from_n(bytes, sizeof bytes));
    uint64_t magic = wire_u64(&in), value = wire_u64(&in);
    if (magic != MAGIC || value == 0 || value > UINT64_MAX / 2 ||
        wire_u64(&in) != format_sum(str_from_n(bytes, 16)))
        return err_set(e, "counter: damaged");
    *limit = value;
    return true;
}

bool
numbers_open(struct log_store *s, struct err *e)
{
    struct store_numbers *n = &s->numbers;
    if (!read_limit(s->setup.disk, s->setup.dir, &n->next, e)) {
        if (e->code != 0)
            return false;
        s->setup.on_corrupt(s->setup.ctx, "counter", 0, "not a counter");
        n->next = 1; // numbers_skip() goes past whatever is in use
    }
    n->limit = n->next + AHEAD;
    return write_limit(s->setup.disk, s->setup.dir, n->limit, e);
}

bool
numbers_skip(struct log_store *s, uint64_t seen, struct err *e)
{
    struct store_numbers *n = &s->numbers;
    if (seen < n->next || seen > UINT64_MAX / 2)
        return true;
    n->next = seen + 1;
    if (n->next + AHEAD / 2 < n->limit)
        return true;
    n->limit = n->next + AHEAD;
    return write_limit(s->setup.disk, s->setup.dir, n->limit, e);
}

struct extend {
    struct task task; /* must be first */
    struct log_store *store;
    uint64_t limit;
    bool ok;
    struct err error;
};

static void
run(struct task *task)
{
    struct extend *x = (struct extend *)task;
    x->ok = write_limit(x->store->setup.disk, x->store->setup.dir, x->limit,
                        &x->error);
}

static void
done(struct task *task)
{
    struct extend *x = (struct extend *)task;
    struct log_store *s = x->store;
    s->tasks--;
    s->numbers.extending = false;
    if (x->ok)
        s->numbers.limit = x->limit;
    else
        store_trouble(s, &x->error);
    free(x);
}

uint64_t
numbers_take(struct log_store *s)
{
    struct store_numbers *n = &s->numbers;
    if (n->limit - n->next < AHEAD / 2 && !n->extending) {
        struct extend *x = alloc_zero(sizeof *x);
        *x = (struct extend){
            .task = {run, done},
              .store = s, .limit = n->limit + AHEAD
        };
        n->extending = true;
        store_submit(s, LANE_FILE, &x->task);
    }
    return n->next < n->limit ? n->next++ : 0;
}
