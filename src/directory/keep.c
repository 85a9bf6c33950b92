/* SPDX-License-Identifier: ISC */
#include "directory/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/alloc.h"
#include "os/disk.h"
#include "os/log.h"

struct keep {
    struct task task;
    struct loop *loop;
    int folder;
    const char *name;
    struct buf fresh; /* the file's name until it is renamed */
    struct buf octets;
    bool busy, failed;
    struct err e;
};

static bool
write_all(int fd, const struct buf *octets, const char *name, struct err *e)
{
    const struct disk *disk = os_disk();
    int64_t at = 0;
    ssize_t n = 0;

    while ((size_t)at < octets->n && (n >= 0 || errno == EINTR)) {
        const struct iovec part = {octets->p + at, octets->n - (size_t)at};
        n = disk->write_at(disk->self, fd, &part, 1, at);
        at += n > 0 ? n : 0;
    }
    return (size_t)at == octets->n || err_sys(e, "write", name);
}

static bool
put(int folder, const char *name, const char *fresh, const struct buf *octets,
    struct err *e)
{
    const struct disk *disk = os_disk();

    (void)disk->unlink(disk->self, folder, fresh);
    int fd = disk->open(disk->self, folder, fresh,
                        DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    if (fd < 0)
        return err_sys(e, "create", fresh);
    bool ok = write_all(fd, octets, name, e);
    (void)disk->close(disk->self, fd);
    if (ok && disk->rename(disk->self, folder, fresh, folder, name) < 0)
        ok = err_sys(e, "rename", fresh);
    return ok;
}

/* On a thread of the pool. */
static void
run_write(struct task *task)
{
    struct keep *k = (struct keep *)task;
    k->failed =
        !put(k->folder, k->name, buf_cstr(&k->fresh), &k->octets, &k->e);
}

static void
on_written(struct task *task)
{
    struct keep *k = (struct keep *)task;

    k->busy = false;
    buf_fini(&k->octets);
    if (k->failed)
        log_error(k->e.text);
}

struct keep *
keep_new(struct loop *l, int folder, const char *name)
{
    struct keep *k = alloc_zero(sizeof *k);

    k->task = (struct task){run_write, on_written};
    k->loop = l;
    k->folder = folder;
    k->name = name;
    buf_addf(&k->fresh, "%s.new", name);
    return k;
}

void
keep_free(struct keep *k)
{
    if (k == NULL)
        return;
    buf_fini(&k->fresh);
    buf_fini(&k->octets);
    free(k);
}

bool
keep_read(struct keep *k, size_t max, struct buf *to, struct err *e)
{
    const struct disk *disk = os_disk();
    int fd = disk->open(disk->self, k->folder, k->name, DISK_READ);

    if (fd < 0)
        return errno == ENOENT || err_sys(e, "open", k->name);
    int64_t size = disk->size(disk->self, fd);
    bool ok = size >= 0 && (uint64_t)size <= max;
    while (ok && to->n < (size_t)size) {
        ssize_t n =
            disk->read_at(disk->self, fd, buf_reserve(to, (size_t)size - to->n),
                          (size_t)size - to->n, (int64_t)to->n);
        ok = n > 0;
        to->n += ok ? (size_t)n : 0;
    }
    (void)disk->close(disk->self, fd);
    return ok || err_set(e, "%s cannot be read", k->name);
}

bool
keep_idle(const struct keep *k)
{
    return !k->busy;
}

void
keep_write(struct keep *k, struct buf *octets)
{
    struct executor pool = loop_executor(k->loop);

    k->octets = *octets;
    *octets = (struct buf){0};
    k->busy = true;
    pool.submit(pool.ctx, LANE_FILE, &k->task);
}

/* Under a name of its own: an earlier one may still be under way. */
void
keep_write_now(struct keep *k, const struct buf *octets)
{
    struct buf fresh = {0};
    struct err e;

    buf_addf(&fresh, "%s.end", k->name);
    if (!put(k->folder, k->name, buf_cstr(&fresh), octets, &e))
        log_error(e.text);
    buf_fini(&fresh);
}
