/* SPDX-License-Identifier: ISC */
/*
 * Logins: receive asks, the brake may hold an attempt back, the password is
 * compared on the pool's lane for hashes, receive is answered. An unknown name
 * is compared too, with a hash of the same cost.
 *
 * A login name is the whole address, or a local part that only one account of
 * our domains has.
 */
#pragma once

#include "directory/hosting.h"
#include "os/loop.h"

struct logins;

/* All but the loop's own thread's use of accounts and hosting is the caller's.
 * on_idle (may be NULL) is called when the last one in hand was answered. */
struct logins *logins_new(struct loop *l, struct accounts *a,
                          const struct hosting *hosting, loop_fn on_idle,
                          void *ctx);
void logins_free(struct logins *s); /* after loop_free(): no task runs */

/* Takes fd, the pipe to a receive process. */
void logins_attach(struct logins *s, int fd);

bool logins_idle(const struct logins *s);
