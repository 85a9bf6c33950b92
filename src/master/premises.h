/* SPDX-License-Identifier: ISC */
/*
 * The state folder: who owns which part, who may be master of it, and the
 * sockets of the command line inside.
 *
 *     spool/        queue         directory/    directory
 *     mail/         mailbox       postmaster/   mailbox
 *     journal/      journal
 *     run/          lock, pid, and the sockets submit, queue, directory
 */
#pragma once

#include "master/accounts.h"

enum local_socket { LOCAL_SUBMIT = 0, LOCAL_QUEUE, LOCAL_DIRECTORY, LOCALS };

struct premises {
    struct buf state;    /* the folder */
    int lock;            /* held by us and every room; -1 */
    int sockets[LOCALS]; /* listening; -1 */
};

struct premises premises_none(void);

/* Makes what is missing and takes possession. *e says what is not as it must
 * be, with the other master's process number if that is it. */
bool premises_open(struct premises *p, const struct conf *c,
                   const struct accounts *a, struct err *e);

/* In service: run/pid. */
bool premises_announce(const struct premises *p, struct err *e);

/* Takes pid file and sockets away. */
void premises_close(struct premises *p);
