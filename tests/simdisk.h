/* SPDX-License-Identifier: ISC */
/*
 * A file system that forgets: what was written, what was synced and what the
 * directories say are kept apart. simdisk_crash() makes the disk that could be
 * found after power loss at this moment: unsynced writes are dropped, kept, or
 * torn at 512 octets, or survive in some files and not in others; unsynced
 * names likewise. A sync that failed has lost
 * what it should have saved: a later one does not bring it back.
 *
 *     struct simdisk *d = simdisk_new();
 *     int dir = simdisk_root(d);
 *     ... use simdisk_disk(d) ...
 *     simdisk_on_op(d, check, ctx);       // called after every change
 *     struct simdisk *after = simdisk_crash(d, SIMDISK_TEAR, seed);
 *
 * Besides it, a pool: tasks wait until the test runs them, in the order of
 * their coming or in a random one.
 */
#pragma once

#include "base/disk.h"
#include "base/task.h"

struct simdisk;
struct simview;

enum simdisk_fate {
    SIMDISK_DROP = 0, /* nothing unsynced survives */
    SIMDISK_KEEP,     /* all of it does */
    SIMDISK_TEAR,     /* each sector and each name by chance */
    SIMDISK_FILES,    /* all of a file or nothing, by chance; names likewise */
};

struct simdisk *simdisk_new(void);
void simdisk_free(struct simdisk *d);
const struct disk *simdisk_disk(struct simdisk *d);
int simdisk_root(struct simdisk *d); /* a fresh descriptor of the top folder */

int simdisk_dup(struct simdisk *d, int fd); /* as sent to another process */

/* The disk as one process sees it. Killed: every call but close() fails from
 * now on and changes nothing, so that its objects can be taken down. Free it
 * with free(). */
struct simview *simview_new(struct simdisk *d);
void simview_kill(struct simview *v);
const struct disk *simview_disk(struct simview *v);

/* Writes, syncs, renames, unlinks, truncations and creations so far. */
uint64_t simdisk_ops(const struct simdisk *d);
/* Called after each of them; ctx's business may crash copies of the disk. */
void simdisk_on_op(struct simdisk *d, void (*fn)(void *ctx), void *ctx);

struct simdisk *simdisk_crash(const struct simdisk *d, enum simdisk_fate fate,
                              uint64_t seed);

/* The n-th operation from now (1: the next) fails with that errno and so do
 * `count - 1` operations after it; a write has written half by then. */
void simdisk_fail(struct simdisk *d, uint64_t n, uint64_t count, int error);
/* Every write takes at most n octets; 0: no limit. */
void simdisk_short_writes(struct simdisk *d, size_t n);
/* All files together may have so many octets; 0: no limit. */
void simdisk_capacity(struct simdisk *d, uint64_t octets);

/* Damages one octet of a file for good; false: no such file, or too short. */
bool simdisk_damage(struct simdisk *d, const char *name, uint64_t offset);

uint64_t simdisk_open_files(const struct simdisk *d); /* descriptors */

struct simpool {
    struct task **tasks;
    size_t n, cap;
};

struct executor simpool_executor(struct simpool *p);
/* Runs one waiting task to its end (run, then done); false: none waits. With
 * *seed not 0 a random one. */
bool simpool_step(struct simpool *p, uint64_t *seed);
void simpool_fini(struct simpool *p);

uint64_t sim_random(uint64_t *seed); /* never 0 while the seed is not */
