/* SPDX-License-Identifier: ISC */
#include "os/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static int
open_dir(void *self, int dir, const char *path)
{
    (void)self;
    return openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
make_dir(void *self, int dir, const char *path, unsigned mode)
{
    (void)self;
    return mkdirat(dir, path, (mode_t)mode);
}

static int
list(void *self, int dir, disk_name_fn fn, void *ctx)
{
    struct dirent *d;
    (void)self;
    // The stream gets a descriptor of its own, and with it its own position.
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        (void)close(fd);
        return -1;
    }
    for (errno = 0; (d = readdir(stream)) != NULL; errno = 0)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            fn(ctx, d->d_name);
    int error = errno;
    (void)closedir(stream);
    errno = error;
    return error == 0 ? 0 : -1;
}

static int
open_file(void *self, int dir, const char *name, unsigned flags)
{
    int how = O_CLOEXEC | O_NOFOLLOW;
    (void)self;
    how |= (flags & DISK_WRITE) != 0 ? O_RDWR : O_RDONLY;
    how |= (flags & DISK_CREATE) != 0 ? O_CREAT : 0;
    how |= (flags & DISK_EXCLUSIVE) != 0 ? O_EXCL : 0;
    return openat(dir, name, how, 0600);
}

static int
close_file(void *self, int fd)
{
    (void)self;
    return close(fd);
}

static ssize_t
read_at(void *self, int fd, void *to, size_t n, int64_t offset)
{
    ssize_t got;
    (void)self;
    do
        got = pread(fd, to, n, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got;
}

static ssize_t
write_at(void *self, int fd, const struct iovec *parts, int count,
         int64_t offset)
{
    ssize_t done;
    (void)self;
    do
        done = pwritev(fd, parts, count, (off_t)offset);
    while (done < 0 && errno == EINTR);
    return done;
}

static int64_t
size(void *self, int fd)
{
    struct stat st;
    (void)self;
    return fstat(fd, &st) == 0 ? (int64_t)st.st_size : -1;
}

static int
truncate_file(void *self, int fd, int64_t to)
{
    (void)self;
    return ftruncate(fd, (off_t)to);
}

/* Only so that the syncs to come find the blocks given out and the octets on
 * their way: then the first of them commits for all. */
static void
start(void *self, int fd)
{
    (void)self;
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* Never repeated, not even after EINTR: a second call might report success
 * about pages that the first one has dropped. */
static int
sync_file(void *self, int fd)
{
    struct stat st;
    (void)self;
    if (fstat(fd, &st) != 0)
        return -1;
    return S_ISDIR(st.st_mode) ? fsync(fd) : fdatasync(fd);
}

static int
sync_all(void *self, int fd)
{
    (void)self;
    return syncfs(fd);
}

static int
rename_file(void *self, int from_dir, const char *from, int to_dir,
            const char *to)
{
    (void)self;
    return renameat(from_dir, from, to_dir, to);
}

static int
unlink_file(void *self, int dir, const char *name)
{
    (void)self;
    return unlinkat(dir, name, 0);
}

static int64_t
free_space(void *self, int dir)
{
    struct statvfs st;
    (void)self;
    if (fstatvfs(dir, &st) != 0)
        return -1;
    return (int64_t)(st.f_bavail * st.f_frsize);
}

static int64_t
device(void *self, int fd)
{
    struct stat st;
    (void)self;
    return fstat(fd, &st) == 0 ? (int64_t)st.st_dev : -1;
}

const struct disk *
os_disk(void)
{
    static const struct disk disk = {
        .open_dir = open_dir,
        .make_dir = make_dir,
        .list = list,
        .open = open_file,
        .close = close_file,
        .read_at = read_at,
        .write_at = write_at,
        .size = size,
        .truncate = truncate_file,
        .start = start,
        .sync = sync_file,
        .sync_all = sync_all,
        .rename = rename_file,
        .unlink = unlink_file,
        .free_space = free_space,
        .device = device,
    };
    return &disk;
}

int
os_open_dir(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
