/* SPDX-License-Identifier: ISC */
/*
 * All that the spool and the Maildir writer ask of a file system, as a table
 * of functions, so that the crash test can stand in for the machine:
 * os/disk.c is the real one, tests/simdisk.c forgets what was not synced.
 *
 * Results are those of the system calls: -1 and errno on failure. Paths are
 * relative to an open directory. Every call may block (sync calls do) and may
 * be made from the executor's threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;

/* For open(): may be or-ed. */
enum {
    DISK_READ = 0,
    DISK_WRITE = 1,     /* read and write */
    DISK_CREATE = 2,    /* make it if it is missing, mode 0600 */
    DISK_EXCLUSIVE = 4, /* with CREATE: fail if it is there */
};

typedef void (*disk_name_fn)(void *ctx, const char *name);

struct disk {
    void *self; /* first argument of each */

    int (*open_dir)(void *self, int dir, const char *path);
    int (*make_dir)(void *self, int dir, const char *path, unsigned mode);
    /* Calls fn for each name but "." and "..", in no order. */
    int (*list)(void *self, int dir, disk_name_fn fn, void *ctx);

    int (*open)(void *self, int dir, const char *name, unsigned flags);
    int (*close)(void *self, int fd);
    ssize_t (*read_at)(void *self, int fd, void *to, size_t n, int64_t offset);
    /* May write less than asked. */
    ssize_t (*write_at)(void *self, int fd, const struct iovec *parts,
                        int count, int64_t offset);
    int64_t (*size)(void *self, int fd);
    int (*truncate)(void *self, int fd, int64_t size);

    /* Begins to write out what was written, without waiting; may be NULL. Many
     * files begun together share the waits of their syncs. */
    void (*start)(void *self, int fd);
    int (*sync)(void *self, int fd);     /* a file's data, or a directory */
    int (*sync_all)(void *self, int fd); /* syncfs of fd's file system */

    int (*rename)(void *self, int from_dir, const char *from, int to_dir,
                  const char *to);
    int (*unlink)(void *self, int dir, const char *name);

    /* Octets free for us on dir's file system; -1: unknown. */
    int64_t (*free_space)(void *self, int dir);
    /* Which file system fd lies on: the same number, the same; -1: unknown. */
    int64_t (*device)(void *self, int fd);
};
