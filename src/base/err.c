/* SPDX-License-Identifier: ISC */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
err_sys(struct err *e, const char *what, const char *name)
{
    int code = errno;
    char reason[128] = "";
    if (strerror_r(code, reason, sizeof reason) != 0)
        (void)snprintf(reason, sizeof reason, "error %d", code);
    (void)err_set(e, "%s %s: %s", what, name, reason);
    e->code = code;
    return false;
}

bool
err_set(struct err *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    e->code = 0;
    return false;
}
