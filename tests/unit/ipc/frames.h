/* SPDX-License-Identifier: ISC */
/*
 * What every codec of ipc/ owes: a frame decodes to what was encoded, no
 * frame cut short or with a rest behind it is taken.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

/* Decodes and, if it is a frame, encodes again into `again`. */
typedef bool (*frames_again_fn)(struct arena *a, struct str frame,
                                struct buf *again);

static inline void
frames_check(struct str frame, frames_again_fn again)
{
    struct arena a = {0};
    struct buf out = {0};
    assert_true(again(&a, frame, &out));
    assert_true(str_eq(buf_str(&out), frame));
    for (size_t n = 0; n < frame.n; n++)
        assert_false(again(&a, str_first(frame, n), &out));

    struct buf longer = {0};
    buf_add(&longer, frame);
    buf_add_char(&longer, '\0');
    assert_false(again(&a, buf_str(&longer), &out));
    buf_fini(&longer);
    buf_fini(&out);
    arena_fini(&a);
}
