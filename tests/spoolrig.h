/* SPDX-License-Identifier: ISC */
/*
 * A whole spool on a simulated disk: the store as queue would hold it, doors
 * as receive and notify would, their words carried over at once. Each is a
 * process of its own that can be killed and started anew.
 */
#pragma once

#include "simdisk.h"
#include "spool/log.h"

enum { RIG_DOORS = 3 }; /* 0 and 1: receive; 2: notify */

struct rig;

struct rig_door {
    struct rig *rig;
    struct simview *view;
    struct simpool pool;
    struct spool_door *door; /* NULL: not running */
    uint64_t writer;
    bool notices;
    int ready, large_freed;
};

struct rig {
    struct simdisk *disk;
    struct simview *view; /* of the queue */
    struct simpool pool;
    struct spool_store *store; /* NULL: not running */
    int dir;
    struct rig_door doors[RIG_DOORS];
    struct instant now;
    uint64_t seed; /* order of tasks; 0: as they came */
    size_t body_memory;
    uint64_t reserve, min_free;
    enum spool_pressure pressure;
    int corrupt, trouble, forget;
    char last_trouble[200]; /* what was reported last */
    char corrupt_file[64];
    uint64_t corrupt_at;
    bool restarted;      /* since a test last looked; for its own use */
    bool quiet;          /* a test looks; for its own use */
    bool forget_at_once; /* readers give back when asked */
};

/* Opens the store on the disk; false: it did not open. */
bool rig_store_start(struct rig *r);
/* Attaches, saying what it holds. */
void rig_door_start(struct rig *r, int i);
/* One turn of each process and one task; false: nothing happened. */
bool rig_step(struct rig *r);
/* Until nothing is under way and all is durable, or 5000 steps. */
void rig_settle(struct rig *r);
/* kill -9; its unfinished tasks never happened. The queue then hears of a
 * door's death, as from master. */
void rig_door_kill(struct rig *r, int i);
void rig_store_kill(struct rig *r);
/* Started anew beside living doors, which attach again. */
bool rig_store_restart(struct rig *r);
/* Orderly end of everything but the disk. */
void rig_stop(struct rig *r);

/* A disk and everything running; the disk is the caller's afterwards. */
void rig_init(struct rig *r, struct simdisk *disk);
