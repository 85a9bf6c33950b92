/* SPDX-License-Identifier: ISC */
/* Arithmetic that says when it does not fit. true: *out holds the result. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
math_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool
math_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool
math_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool
math_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline size_t
math_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t
math_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* x rounded up to a multiple of the power of two `to`. */
static inline int64_t
math_round_up(int64_t x, int64_t to)
{
    return (x + to - 1) & ~(to - 1);
}
