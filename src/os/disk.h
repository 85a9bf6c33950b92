/* SPDX-License-Identifier: ISC */
/* The real file system behind base/disk.h. */
#pragma once

#include "base/disk.h"

const struct disk *os_disk(void);

/* The starting point for relative paths: a directory by its path; -1: errno. */
int os_open_dir(const char *path);
