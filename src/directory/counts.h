/* SPDX-License-Identifier: ISC */
/*
 * What is counted and must survive a restart: failed logins (the brake, in
 * `<state>/directory/brake`) and what accounts sent (the ledger that the
 * receive processes share, in `<state>/directory/sent`). Both are written every
 * five seconds if they have changed.
 */
#pragma once

#include "directory/brake.h"
#include "directory/keep.h"
#include "os/loop.h"
#include "room/ledger.h"

struct counts {
    struct brake brake;
    struct ledger *ledger; /* NULL: could not be made, nothing is limited */
    int ledger_fd;         /* for who writes it */

    struct loop *loop; /* from here on its own */
    struct keep *keep_brake, *keep_ledger;
    uint64_t ledger_saved; /* its changes then */
    struct timer *save;
};

/* folder: the open one, the caller's. What is damaged is counted anew. */
void counts_init(struct counts *c, struct loop *l, int folder);
void counts_save(struct counts *c); /* before the process ends */
void counts_fini(struct counts *c); /* after loop_free() */
