/* SPDX-License-Identifier: ISC */
#include "os/library.h"

#include <dlfcn.h>
#include <string.h>

void *
library_open(const char *name, struct err *e)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        (void)err_set(e, "%s", dlerror());
    return library;
}

bool
library_find(void *library, const char *name, void *to, struct err *e)
{
    void *symbol = dlsym(library, name);
    if (symbol == NULL)
        return err_set(e, "%s", dlerror());
    // ISO C has no cast from an object pointer to a function; POSIX has the
    // same size for both.
    memcpy(to, &symbol, sizeof symbol);
    return true;
}
