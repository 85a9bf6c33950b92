/* SPDX-License-Identifier: ISC */
/* A temporary accounts database for each test, and a loop that gives up. */
#pragma once

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/accounts.h"
#include "os/loop.h"

struct fixture {
    char folder[40];
    char path[64];
    struct accounts *a;
    struct arena arena;
    struct err e;
};

static inline int
fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert(f != NULL);
    (void)snprintf(f->folder, sizeof f->folder,
                   "/tmp/gatepost-accounts-XXXXXX");
    if (mkdtemp(f->folder) == NULL)
        return -1;
    (void)snprintf(f->path, sizeof f->path, "%s/accounts.db", f->folder);
    f->a = accounts_open(f->path, &f->e);
    *state = f;
    return f->a != NULL ? 0 : -1;
}

static inline int
fixture_close(void **state)
{
    static const char *const names[] = {
        "accounts.db", "accounts.db-wal", "accounts.db-shm",
        "book.cdb",    "book.cdb.new",    "brake",
        "sent"};
    struct fixture *f = *state;
    accounts_close(f->a);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[80];
        (void)snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
        (void)unlink(path);
    }
    int rc = rmdir(f->folder);
    arena_fini(&f->arena);
    free(f);
    return rc;
}

static inline void
fixture_give_up(void *ctx)
{
    loop_stop(ctx);
}

/* Until somebody stops the loop, or the time is up. */
static inline void
fixture_run(struct loop *l, int64_t limit_ms)
{
    struct timer *t = timer_new(l, fixture_give_up, l);
    timer_set(t, loop_now(l).mono_ms + limit_ms);
    loop_run(l);
    timer_free(t);
}

/* An alias whose targets are keys already. */
static inline enum accounts_result
fixture_alias(struct fixture *f, const char *address, const char *const *to,
              size_t n)
{
    struct str targets[8];
    assert(n <= 8);
    for (size_t i = 0; i < n; i++)
        targets[i] = str_from(to[i]);
    struct accounts_alias alias = {.address = str_from(address),
                                   .targets = targets,
                                   .keys = targets,
                                   .n_targets = n};
    return accounts_alias_add(f->a, &alias, &f->e);
}
