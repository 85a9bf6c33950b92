/* SPDX-License-Identifier: ISC */
/* Whole reads and writes through a struct disk, however it cuts them. */
#pragma once

#include <sys/uio.h>

#include "base/disk.h"
#include "base/err.h"

/* Uses the array up. `what` names the file in *e. */
bool io_write(const struct disk *disk, int fd, struct iovec *parts,
              size_t count, uint64_t offset, const char *what, struct err *e);

/* Exactly n octets; a file that ends before is an error. */
bool io_read(const struct disk *disk, int fd, void *to, size_t n,
             uint64_t offset, const char *what, struct err *e);

/* No room is an ordinary answer, other errors are trouble. */
bool io_is_full(const struct err *e);
