/* SPDX-License-Identifier: ISC */
#include "simdisk.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

uint64_t
sim_random(uint64_t *seed)
{
    uint64_t x = *seed;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *seed = x;
}

static void
submit(void *ctx, enum lane lane, struct task *task)
{
    struct simpool *p = ctx;
    (void)lane;
    if (p->n == p->cap) {
        p->cap = p->cap * 2 + 16;
        p->tasks = alloc_resize(p->tasks, p->cap * sizeof(struct task *));
    }
    p->tasks[p->n++] = task;
}

struct executor
simpool_executor(struct simpool *p)
{
    return (struct executor){submit, p};
}

bool
simpool_step(struct simpool *p, uint64_t *seed)
{
    if (p->n == 0)
        return false;
    size_t i = seed != NULL && *seed != 0 ? sim_random(seed) % p->n : 0;
    struct task *task = p->tasks[i];
    p->n--;
    memmove(&p->tasks[i], &p->tasks[i + 1], (p->n - i) * sizeof(struct task *));
    task->run(task);
    task->done(task);
    return true;
}

void
simpool_fini(struct simpool *p)
{
    free(p->tasks);
    *p = (struct simpool){0};
}
