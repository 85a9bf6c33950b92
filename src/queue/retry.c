/* SPDX-License-Identifier: ISC */
#include "queue/retry.h"

static int64_t
wait_after(const struct retry_policy *p, uint32_t attempts)
{
    int64_t wait = p->min_ms > 0 ? p->min_ms : 1;

    for (uint32_t i = 1; i < attempts && wait < p->max_ms; i++)
        wait = wait > p->max_ms / 2 ? p->max_ms : wait * 2;
    return wait;
}

bool
retry_next(const struct retry_policy *p, int64_t arrived_ms, int64_t now_ms,
           uint32_t attempts, int64_t *next_ms)
{
    int64_t end = arrived_ms + p->give_up_ms;
    int64_t wait = wait_after(p, attempts);

    if (now_ms >= end)
        return false;
    *next_ms = now_ms + wait < end ? now_ms + wait : end;
    return true;
}
