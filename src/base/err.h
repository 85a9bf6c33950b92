/* SPDX-License-Identifier: ISC */
/*
 * Why the world failed us (disk, network, DNS): recorded once, where it
 * happened, by the function that returns false; callers add nothing, the top
 * of the stage logs it once.
 *
 *     if (disk->sync(fd) < 0)
 *         return err_sys(e, "fsync", name);
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct err {
    int code; /* errno, or 0 */
    char text[400];
};

/* "WHAT NAME: No such file or directory", from errno. Always false. */
bool err_sys(struct err *e, const char *what, const char *name);

/* A sentence of our own. Always false. */
bool err_set(struct err *e, const char *format, ...) PRINTF(2, 3);
