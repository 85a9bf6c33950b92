/* SPDX-License-Identifier: ISC */
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"

static NORETURN void
out_of_memory(size_t n)
{
    (void)fprintf(stderr, "gatepost: out of memory (%zu octets)\n", n);
    abort();
}

void *
alloc_zero(size_t n)
{
    void *p = calloc(1, n > 0 ? n : 1);
    if (p == NULL)
        out_of_memory(n);
    return p;
}

void *
alloc_array(size_t n, size_t size)
{
    size_t total;
    if (!math_mul(n, size, &total))
        out_of_memory(n);
    return alloc_zero(total);
}

void *
alloc_resize(void *p, size_t n)
{
    void *q = realloc(p, n > 0 ? n : 1);
    if (q == NULL)
        out_of_memory(n);
    return q;
}

void
alloc_wipe(void *p, size_t n)
{
    // A call that the compiler cannot see through cannot be left out.
    static void *(*const volatile set)(void *, int, size_t) = memset;
    if (n > 0)
        (void)set(p, 0, n);
}
