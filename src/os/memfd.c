/* SPDX-License-Identifier: ISC */
#include "os/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
fill(int fd, const char *name, struct str bytes, struct err *e)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, "write to memory file", name);
        bytes = str_from_pos(bytes, (size_t)n);
    }
    if (fcntl(fd, F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return err_sys(e, "seal memory file", name);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_sys(e, "rewind memory file", name);
    return true;
}

int
memfd_sealed(const char *name, struct str bytes, struct err *e)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        (void)err_sys(e, "create memory file", name);
        return -1;
    }
    if (!fill(fd, name, bytes, e)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* By offset: the position is shared with whoever else holds the file. */
bool
memfd_read(int fd, size_t max, struct buf *to, struct err *e)
{
    enum { STEP = 16 << 10 };
    size_t got = 0;
    for (;;) {
        ssize_t n = pread(fd, buf_reserve(to, STEP), STEP, (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, "read", "a file that was handed over");
        if (n == 0)
            return true;
        got += (size_t)n;
        if (got > max)
            return err_set(e,
                           "a file that was handed over is larger than %zu "
                           "octets",
                           max);
        to->n += (size_t)n;
    }
}

int
memfd_shared(const char *name, size_t size, struct err *e)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        (void)err_sys(e, "create memory file", name);
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    return fd;
}

void *
memfd_map(int fd, size_t size)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(fd, &st) < 0 ||
        st.st_size != (off_t)size)
        return NULL;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p != MAP_FAILED ? p : NULL;
}

void
memfd_unmap(void *p, size_t size)
{
    (void)munmap(p, size);
}
