/* SPDX-License-Identifier: ISC */
/*
 * Child processes: this very binary once more, in another part and as another
 * user. A child has its numbered descriptors, stderr and little else: stdin is
 * empty, the environment is what the run-time libraries need.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "os/account.h"

enum { SPAWN_FIRST_FD = 3, SPAWN_FDS = 3 };

struct spawn {
    const char *const *argv; /* NULL at the end */
    int fds[SPAWN_FDS];      /* become 3, 4, 5; the caller keeps its own */
    const struct account *account; /* NULL: the caller's */
};

/* The process's number, or -1 with *e. */
int64_t spawn_self(const struct spawn *s, struct err *e);

/* A child that has ended, waited for: its number; 0: none (more). */
int64_t spawn_reap(int *status);

/* "exit status 1", "signal 9". */
struct str spawn_why(int status, char *to, size_t n);
/* It ended as asked. */
bool spawn_well(int status);

void spawn_kill(int64_t pid); /* SIGKILL */
bool spawn_alive(int64_t pid);
int64_t spawn_own_pid(void);
