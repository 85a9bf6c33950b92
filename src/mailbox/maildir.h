/* SPDX-License-Identifier: ISC */
/*
 * Writing into Maildirs, many messages in one go, so that they share the
 * waits for the disk. The rule (docs/spool.md): a verdict of "delivered"
 * means that the whole file survives power loss in new/, and never is there
 * a part of a file in new/.
 *
 *     write all into tmp/ → sync their data → rename all into new/ →
 *     sync the new/ folders → verdicts
 *
 * File names are derived from message and recipient: what was delivered
 * before a crash is found again, in new/ or cur/, and not written twice.
 *
 * It blocks, and touches nothing but its arguments, so it runs on a thread.
 */
#pragma once

#include "base/arena.h"
#include "base/disk.h"
#include "base/err.h"
#include "mail/verdict.h"

struct maildir {
    const struct disk *disk;
    int root;   /* where paths begin: "/" */
    bool whole; /* one syncfs for all instead of a sync for each file */
};

/* Appends the next piece of the file to `to`; *end: that was the last. */
typedef bool (*maildir_read_fn)(void *ctx, struct buf *to, bool *end,
                                struct err *e);

struct maildir_item {
    struct str path; /* of the Maildir, absolute */
    struct str name; /* of the file, no flags */
    bool known;      /* this process has made sure that its folders last */
    bool repeated;   /* look first whether it is there already */
    maildir_read_fn read;
    void *ctx;

    /* Results. */
    struct verdict verdict; /* DELIVERED or LATER; text is constant */
    struct err err;         /* LATER: what failed, for the log */
    bool found;             /* it had been delivered before */

    struct maildir_folder *folder; /* private to maildir.c */
    int fd;
};

void maildir_deliver(const struct maildir *m, struct maildir_item *items,
                     size_t n);

/* "1732420800.G2b-9Xk_0.mx.example.com": no slash, colon or control octet
 * whatever the host's name; into the arena. */
struct str maildir_name(struct arena *a, int64_t arrived_ms, struct str id,
                        uint32_t rcpt, struct str hostname);

/* "maildir:/var/mail/x" or "maildir:/var/mail/x/"; false: not a Maildir, or a
 * path that is not absolute or has "." or ".." in it. */
bool maildir_target(struct str target, struct str *path);
