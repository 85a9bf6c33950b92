/* SPDX-License-Identifier: ISC */
/* One life of a spool under test: what the workloads do to it. */
#pragma once

#include "oracle.h"

struct world {
    const char *name;
    struct rig rig;
    struct oracle oracle;
    uint64_t random;   /* of the workload */
    struct str reply;  /* in outcomes; empty: a usual one */
    unsigned variants; /* images at each operation that chance makes */
    unsigned every;    /* images only at each n-th operation */
    unsigned nested;   /* crash the recovery of each n-th image; 0: none */
    unsigned again;    /* at each n-th of its operations */
    bool failed;
};

void world_init(struct world *w, const char *name, uint64_t seed);
void world_fini(struct world *w);
/* Takes images from now on. */
void world_watch(struct world *w);
/* The images of this moment. */
void world_crash(struct world *w);

/* Until all is durable; the oracle knows it then. */
void world_settle(struct world *w);
void world_step(struct world *w);

/* Commits without waiting; notice: the key it carries, or empty. */
void world_accept(struct world *w, int door, size_t n_rcpts, size_t size,
                  struct str notice);
void world_aborted(struct world *w, int door, size_t size);
enum world_outcome {
    WORLD_DELIVER = 0,
    WORLD_DEFER,
    WORLD_BOUNCE,
    WORLD_AUTOREPLY,
    WORLD_EXPAND,
    WORLD_CRASH,
    WORLD_MIX,
};
/* Claims up to n messages and settles what it got; false: none was due. */
bool world_work(struct world *w, size_t n, enum world_outcome outcome);
void world_notices(struct world *w, bool decline);
void world_hold_some(struct world *w);
void world_hold_one(struct world *w, size_t from_last);
void world_release_all(struct world *w);
void world_remove_some(struct world *w);
