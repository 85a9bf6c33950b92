/* SPDX-License-Identifier: ISC */
/*
 * Memory with one common end: of a session, a message, a request. Nothing in
 * it is freed alone. {0} is an empty arena; arena_fini() ends it and all that
 * came out of it, arena_reset() does so but keeps one block for the next use.
 */
#pragma once

#include <stdarg.h>

#include "base/attr.h"
#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* of the newest */
};

void arena_fini(struct arena *a);
void arena_reset(struct arena *a);

/* n octets, zeroed, aligned for anything. */
void *arena_alloc(struct arena *a, size_t n) MUST_USE;
/* An array of n zeroed elements of `size` octets. */
void *arena_array(struct arena *a, size_t n, size_t size) MUST_USE;

struct str arena_dup(struct arena *a, struct str s) MUST_USE;
struct str arena_dup_lower(struct arena *a, struct str s) MUST_USE;
/* A copy with a NUL behind it, for libc. */
const char *arena_cstr(struct arena *a, struct str s) MUST_USE;
struct str arena_printf(struct arena *a, const char *format, ...) PRINTF(2, 3);
