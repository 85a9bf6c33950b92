/* SPDX-License-Identifier: ISC */
#include "os/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

bool
terminal_is(int fd)
{
    return isatty(fd) == 1;
}

size_t
terminal_columns(int fd)
{
    struct winsize w;
    return ioctl(fd, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}
