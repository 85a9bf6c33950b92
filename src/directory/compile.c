/* SPDX-License-Identifier: ISC */
#include "directory/compile.h"

#include "os/constdb.h"
#include "os/disk.h"

#define NAME "book.cdb"
#define NAME_NEW "book.cdb.new"

struct writing {
    struct compile *job;
    struct constdb_maker *maker;
};

static bool
on_value(void *ctx, struct str key, struct str value, struct err *e)
{
    struct writing *w = ctx;
    w->job->records++;
    return constdb_add(w->maker, key, value, e);
}

static bool
write_book(struct compile *job, struct accounts *a, int fd)
{
    struct writing w = {.job = job, .maker = constdb_make(fd, &job->err)};
    struct err ignored;

    if (w.maker == NULL)
        return false;
    if (hosting_each_value(&job->hosting, a, on_value, &w, &job->err))
        return constdb_finish(w.maker, &job->err);
    (void)constdb_finish(w.maker, &ignored);
    return false;
}

/* The new file under its name, durably. */
static bool
put_in_place(struct compile *job, const struct disk *disk, int fd)
{
    if (disk->sync(disk->self, fd) < 0)
        return err_sys(&job->err, "fsync", NAME_NEW);
    if (disk->rename(disk->self, job->folder, NAME_NEW, job->folder, NAME) < 0)
        return err_sys(&job->err, "rename", NAME_NEW);
    if (disk->sync(disk->self, job->folder) < 0)
        return err_sys(&job->err, "fsync", "directory/");
    job->fd = disk->open(disk->self, job->folder, NAME, DISK_READ);
    return job->fd >= 0 || err_sys(&job->err, "open", NAME);
}

static bool
make_snapshot(struct compile *job, struct accounts *a)
{
    const struct disk *disk = os_disk();

    // What a crash left behind; most often there is nothing.
    (void)disk->unlink(disk->self, job->folder, NAME_NEW);
    int fd = disk->open(disk->self, job->folder, NAME_NEW,
                        DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    if (fd < 0)
        return err_sys(&job->err, "create", NAME_NEW);
    bool ok = write_book(job, a, fd) && put_in_place(job, disk, fd);
    (void)disk->close(disk->self, fd);
    return ok;
}

void
compile_run(struct task *task)
{
    struct compile *job = (struct compile *)task;
    struct err ignored;

    job->fd = -1;
    job->records = 0;
    struct accounts *a = accounts_open(job->database, &job->err);
    if (a == NULL)
        return;
    // A log that could not be shortened is read again at the next start.
    if (make_snapshot(job, a))
        (void)accounts_forget_changes(a, job->seen, &ignored);
    accounts_close(a);
}
