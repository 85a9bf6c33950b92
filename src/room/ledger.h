/* SPDX-License-Identifier: ISC */
/*
 * What accounts have sent, counted across all receive processes: messages and
 * recipients of an hour and of a day, in memory that directory makes and every
 * receive has mapped. So a recipient costs some atomic operations and no
 * question to anybody; directory reads it now and then, and keeps it across a
 * restart.
 *
 * A window begins with the first that is counted in it and ends an hour or a
 * day later, so its end can be said in advance. Who owns a receive process can
 * forge the counts, as they can send without asking.
 *
 *     if (ledger_take(l, account, &limits, want, now, &full)) ...
 *     else ... full.which, full.limit, full.until_ms
 *     ledger_give_back(l, account, &limits, want, now);  // was not sent
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "book/book.h"

struct ledger;

/* A fresh one and its descriptor, which stays the caller's. NULL with *e. */
struct ledger *ledger_make(int *fd, struct err *e);
/* Another's, by descriptor, which is closed. NULL: it is none. */
struct ledger *ledger_map(int fd);
void ledger_free(struct ledger *l);

/* How many of each kind, in the order of enum book_limit. */
struct ledger_want {
    uint32_t n[BOOK_LIMITS];
};

struct ledger_full {
    enum book_limit which;
    uint32_t limit;
    int64_t until_ms; /* wall: when it is counted anew */
};

/* All or nothing. limits: BOOK_UNLIMITED and 0 are none, and not counted. */
bool ledger_take(struct ledger *l, struct str account,
                 const struct book_limits *limits,
                 const struct ledger_want *want, struct instant now,
                 struct ledger_full *full);
void ledger_give_back(struct ledger *l, struct str account,
                      const struct book_limits *limits,
                      const struct ledger_want *want, struct instant now);

/* A number that is another one when something was counted. */
uint64_t ledger_changes(const struct ledger *l);

/* What is counted, for a file. load: false if these octets are not what save
 * made; then nothing was loaded. Windows that are over are left out. */
void ledger_save(const struct ledger *l, struct instant now, struct buf *to);
bool ledger_load(struct ledger *l, struct str octets, struct instant now);
