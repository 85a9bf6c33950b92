/* SPDX-License-Identifier: ISC */
/*
 * Memory that is there or ends the process: limits are checked before
 * allocating, so running out is our fault or the machine's, and master
 * restarts what aborts. Release with free().
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/* n octets, zeroed. */
void *alloc_zero(size_t n) MUST_USE;

/* An array of n elements of `size` octets, zeroed. */
void *alloc_array(size_t n, size_t size) MUST_USE;

/* p grown or shrunk to n octets; new octets are undefined. */
void *alloc_resize(void *p, size_t n) MUST_USE;

/* Overwrites n octets in a way the compiler keeps; for secrets. */
void alloc_wipe(void *p, size_t n);
