/* SPDX-License-Identifier: ISC */
#include "os/program.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

void
program_become(const char *name, char *const *argv, struct err *e)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    size_t own = n < 0 ? 0 : (size_t)n;
    while (own > 0 && path[own - 1] != '/')
        own--;
    if (own == 0 || strlen(name) >= sizeof path - own) {
        if (n >= 0)
            errno = ENAMETOOLONG;
        (void)err_sys(e, "find", name);
        return;
    }
    memcpy(path + own, name, strlen(name) + 1);
    (void)execv(path, argv);
    (void)err_sys(e, "start", path);
}
