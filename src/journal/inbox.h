/* SPDX-License-Identifier: ISC */
/*
 * The journal's ends of PIPE_JOURNAL: takes what the rooms tell into the
 * chronicle, commits after COMMIT_MS or many events, and tells each how far
 * its own are written.
 */
#pragma once

#include "ipc/control.h"
#include "journal/chronicle.h"
#include "os/loop.h"

struct inbox;

/* on_empty: the last pipe has ended. */
struct inbox *inbox_new(struct loop *l, struct chronicle *c, loop_fn on_empty,
                        void *ctx);

/* Takes fd. */
void inbox_add(struct inbox *b, enum role role, uint32_t slot,
               uint64_t incarnation, int fd);
void inbox_reaped(struct inbox *b, uint64_t incarnation);

bool inbox_is_empty(const struct inbox *b);
