/* SPDX-License-Identifier: ISC */
/*
 * When to try again: the wait doubles with each attempt from `min_ms` to
 * `max_ms`; the last attempt is made when the message has been here for
 * `give_up_ms`. No randomness: what is due at once is spread by the windows.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
    int64_t min_ms, max_ms, give_up_ms;
};

/* attempts: made so far, this one included. False: no further one; else the
 * time of the next, which is after now_ms. */
bool retry_next(const struct retry_policy *p, int64_t arrived_ms,
                int64_t now_ms, uint32_t attempts, int64_t *next_ms);
