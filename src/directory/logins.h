/* SPDX-License-Identifier: ISC */
/*
 * Logins: receive asks, the brake may hold an attempt back, the password is
 * compared on the pool's lane for hashes (or was right a short while ago), or
 * the proof of SCRAM is checked; receive is answered. An unknown name is
 * compared too, with a hash of the same cost and a salt of the same kind. That
 * an account is suspended or disabled is said only to who has shown that it is
 * theirs.
 *
 * Failed attempts are counted in `<state>/directory/brake`, written every five
 * seconds.
 */
#pragma once

#include "directory/hosting.h"
#include "os/loop.h"

struct logins;

/* All but the loop's own thread's use of accounts and hosting is the caller's.
 * database is its path, folder the open one it is in, both the caller's.
 * on_idle (may be NULL) is
 * called when the last one in hand was answered. */
struct logins *logins_new(struct loop *l, struct accounts *a,
                          const struct hosting *hosting, const char *database,
                          int folder, loop_fn on_idle, void *ctx);
void logins_free(struct logins *s); /* after loop_free(): no task runs */

/* Takes fd, the pipe to a receive process. */
void logins_attach(struct logins *s, int fd);

/* From which failure on attempts wait; 0: never. */
void logins_set_brake(struct logins *s, uint32_t failures);

/* Before the process ends: what would be lost goes to disk. */
void logins_save(struct logins *s);

bool logins_idle(const struct logins *s);
