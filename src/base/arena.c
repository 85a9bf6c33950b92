/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/math.h"

enum { BLOCK_SIZE = 2048 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

void
arena_fini(struct arena *a)
{
    struct arena_block *b = a->blocks;
    while (b != NULL) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    *a = (struct arena){0};
}

void
arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;
    if (keep == NULL)
        return;
    struct arena rest = {.blocks = keep->next};
    arena_fini(&rest);
    keep->next = NULL;
    if (keep->size > BLOCK_SIZE) {
        free(keep);
        keep = NULL;
    }
    *a = (struct arena){.blocks = keep};
}

static void
add_block(struct arena *a, size_t need)
{
    size_t size = math_max(need, BLOCK_SIZE);
    struct arena_block *b = alloc_resize(NULL, sizeof *b + size);
    b->next = a->blocks;
    b->size = size;
    a->blocks = b;
    a->used = 0;
}

static void *
take(struct arena *a, size_t n)
{
    bool fits = n < SIZE_MAX / 2;
    assert(fits);
    size_t need = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (a->blocks == NULL || a->blocks->size - a->used < need)
        add_block(a, need);
    void *p = a->blocks->bytes + a->used;
    a->used += need;
    return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
    void *p = take(a, n);
    memset(p, 0, n);
    return p;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
    size_t total;
    bool fits = math_mul(n, size, &total);
    assert(fits);
    return arena_alloc(a, total);
}

struct str
arena_dup(struct arena *a, struct str s)
{
    if (s.n == 0)
        return STR_EMPTY;
    char *p = take(a, s.n);
    memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

struct str
arena_dup_lower(struct arena *a, struct str s)
{
    char *p = take(a, s.n);
    for (size_t i = 0; i < s.n; i++)
        p[i] = (char)ascii_lower((unsigned char)s.p[i]);
    return (struct str){p, s.n};
}

const char *
arena_cstr(struct arena *a, struct str s)
{
    char *p = take(a, s.n + 1);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

struct str
arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    assert(n >= 0);
    char *p = take(a, (size_t)n + 1);
    (void)vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return (struct str){p, (size_t)n};
}
