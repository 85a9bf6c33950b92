/* SPDX-License-Identifier: ISC */
#include "os/folder.h"

#include "os/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 16 };

/* Each parent in turn; what exists is left as it is. */
static bool
make_parents(const char *path, struct err *e)
{
    struct buf b = {0};
    bool ok = true;
    for (const char *p = strchr(path + 1, '/'); ok && p != NULL;
         p = strchr(p + 1, '/')) {
        buf_clear(&b);
        buf_add(&b, str_from_n(path, (size_t)(p - path)));
        if (mkdir(buf_cstr(&b), 0755) < 0 && errno != EEXIST)
            ok = err_sys(e, "make folder", buf_cstr(&b));
    }
    buf_fini(&b);
    return ok;
}

static bool
set_owner(const char *path, unsigned mode, const struct account *owner,
          struct err *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, "open folder", path);
    bool ok =
        fstat(fd, &st) == 0 &&
        (st.st_uid == owner->uid || fchown(fd, owner->uid, owner->gid) == 0) &&
        fchmod(fd, (mode_t)mode) == 0;
    if (!ok)
        (void)err_sys(e, "give folder to its user", path);
    (void)close(fd);
    return ok;
}

bool
folder_make(const char *path, unsigned mode, const struct account *owner,
            struct err *e)
{
    if (!make_parents(path, e))
        return false;
    if (mkdir(path, (mode_t)mode) < 0 && errno != EEXIST)
        return err_sys(e, "make folder", path);
    if (owner != NULL)
        return set_owner(path, mode, owner, e);
    if (access(path, R_OK | W_OK | X_OK) < 0)
        return err_sys(e, "write to folder", path);
    return true;
}

/* A file with a second name may be somebody else's, linked here. */
static bool
may_give(const struct stat *st, const struct account *owner)
{
    return st->st_uid != owner->uid &&
           (S_ISDIR(st->st_mode) ||
            (S_ISREG(st->st_mode) && st->st_nlink == 1));
}

static bool
give_inside(int fd, const struct account *owner, unsigned depth)
{
    DIR *dir = fdopendir(fd);
    bool ok = dir != NULL;
    if (!ok) {
        (void)close(fd);
        return false;
    }
    for (struct dirent *d; ok && (d = readdir(dir)) != NULL;) {
        struct stat st;
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue; // gone meanwhile
        if (may_give(&st, owner))
            ok = fchownat(fd, d->d_name, owner->uid, owner->gid,
                          AT_SYMLINK_NOFOLLOW) == 0;
        if (!ok || !S_ISDIR(st.st_mode) || depth == 0)
            continue;
        int inner = openat(fd, d->d_name,
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        ok = inner >= 0 && give_inside(inner, owner, depth - 1);
    }
    (void)closedir(dir);
    return ok;
}

bool
folder_give(const char *path, const struct account *owner, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, "open folder", path);
    return give_inside(fd, owner, DEPTH_MAX) ||
           err_sys(e, "give to its user what is in", path);
}

static int64_t
read_holder(int fd)
{
    char text[32];
    uint64_t pid;
    ssize_t n = pread(fd, text, sizeof text, 0);
    if (n <= 0 || !str_to_u64(str_trim(str_from_n(text, (size_t)n)), &pid) ||
        pid > INT32_MAX)
        return 0;
    return (int64_t)pid;
}

static bool
write_holder(int fd)
{
    struct buf b = {0};
    buf_addf(&b, "%ld\n", (long)getpid());
    bool ok = ftruncate(fd, 0) == 0 && pwrite(fd, b.p, b.n, 0) == (ssize_t)b.n;
    buf_fini(&b);
    return ok;
}

static bool
lock_waiting(int fd, int64_t wait_ms, int64_t *holder)
{
    enum { PAUSE_MS = 50 };
    for (;; wait_ms -= PAUSE_MS) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        int code = errno;
        *holder = read_holder(fd);
        bool may_end = code == EWOULDBLOCK && !spawn_alive(*holder);
        errno = code;
        if (!may_end || wait_ms <= 0)
            return false;
        (void)poll(NULL, 0, PAUSE_MS);
    }
}

int
folder_lock(const char *path, int64_t wait_ms, int64_t *holder, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    *holder = 0;
    if (fd < 0)
        (void)err_sys(e, "open", path);
    else if (!lock_waiting(fd, wait_ms, holder))
        (void)err_sys(e, "lock", path);
    else if (!write_holder(fd))
        (void)err_sys(e, "write", path);
    else
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

bool
file_read(const char *path, size_t max, struct buf *to, struct err *e)
{
    enum { STEP = 16 << 10 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_sys(e, "open", path);
    bool ok = true;
    for (size_t got = 0; ok;) {
        ssize_t n = read(fd, buf_reserve(to, STEP), STEP);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            ok = err_sys(e, "read", path);
            break;
        }
        got += (size_t)n;
        to->n += (size_t)n;
        if (got > max)
            ok = err_set(e, "%s: expected at most %zu octets", path, max);
    }
    (void)close(fd);
    return ok;
}

bool
file_write(const char *path, struct str content, unsigned mode, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                  (mode_t)mode);
    if (fd < 0)
        return err_sys(e, "open", path);
    bool ok = write(fd, content.p, content.n) == (ssize_t)content.n;
    if (!ok)
        (void)err_sys(e, "write", path);
    (void)close(fd);
    return ok;
}

void
file_remove(const char *path)
{
    (void)unlink(path);
}

static struct file_stamp
stamp_of(const struct stat *st)
{
    return (struct file_stamp){.inode = st->st_ino,
                               .size = st->st_size,
                               .mtime_ns =
                                   (int64_t)st->st_mtim.tv_sec * 1000000000 +
                                   st->st_mtim.tv_nsec};
}

bool
file_stamp(const char *path, struct file_stamp *s, struct err *e)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return err_sys(e, "look at", path);
    *s = stamp_of(&st);
    return true;
}

bool
file_stamp_eq(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns;
}

int
file_open(const char *path, struct file_stamp *s, struct err *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        (void)err_sys(e, "open", path);
        return -1;
    }
    if (fstat(fd, &st) < 0)
        (void)err_sys(e, "look at", path);
    else if (!S_ISREG(st.st_mode))
        (void)err_set(e, "%s: expected a file", path);
    else {
        *s = stamp_of(&st);
        return fd;
    }
    (void)close(fd);
    return -1;
}
