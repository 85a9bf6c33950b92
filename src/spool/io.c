/* SPDX-License-Identifier: ISC */
#include "spool/io.h"

#include <errno.h>

#include "base/math.h"

enum { AT_ONCE = 256 }; /* below every IOV_MAX */

static void
step_over(struct iovec **parts, size_t *count, size_t done)
{
    while (*count > 0 && done >= (*parts)->iov_len) {
        done -= (*parts)->iov_len;
        ++*parts;
        --*count;
    }
    if (*count > 0 && done > 0) {
        (*parts)->iov_base = (char *)(*parts)->iov_base + done;
        (*parts)->iov_len -= done;
    }
}

bool
io_write(const struct disk *disk, int fd, struct iovec *parts, size_t count,
         uint64_t offset, const char *what, struct err *e)
{
    step_over(&parts, &count, 0);
    while (count > 0) {
        int some = (int)math_min(count, AT_ONCE);
        ssize_t done =
            disk->write_at(disk->self, fd, parts, some, (int64_t)offset);
        if (done == 0)
            errno = ENOSPC;
        if (done <= 0)
            return err_sys(e, "write", what);
        offset += (uint64_t)done;
        step_over(&parts, &count, (size_t)done);
    }
    return true;
}

bool
io_read(const struct disk *disk, int fd, void *to, size_t n, uint64_t offset,
        const char *what, struct err *e)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = disk->read_at(disk->self, fd, (char *)to + done, n - done,
                                    (int64_t)(offset + done));
        if (got < 0)
            return err_sys(e, "read", what);
        if (got == 0)
            return err_set(e, "read %s: ends at %llu", what,
                           (unsigned long long)offset + done);
        done += (size_t)got;
    }
    return true;
}

bool
io_is_full(const struct err *e)
{
    return e->code == ENOSPC || e->code == EDQUOT;
}
