/* SPDX-License-Identifier: ISC */
/*
 * A value of another codec inside a frame, as a string whose length is filled
 * in afterwards, so that nothing is built twice.
 *
 *     size_t at = nested_begin(to);
 *     verdict_encode(to, v);
 *     nested_end(to, at);                  // read with wire_str()
 */
#pragma once

#include <assert.h>

#include "base/wire.h"

static inline size_t
nested_begin(struct buf *to)
{
    wire_add_u32(to, 0);
    return to->n;
}

static inline void
nested_end(struct buf *to, size_t at)
{
    size_t n = to->n - at;
    assert(n <= UINT32_MAX);
    to->n = at - 4;
    wire_add_u32(to, (uint32_t)n);
    to->n = at + n;
}
