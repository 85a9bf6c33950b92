/* SPDX-License-Identifier: ISC */
/*
 * The queue's ends of PIPE_JOB: hands the schedule's jobs to send and mailbox
 * workers with the descriptors they read from, and their outcomes back.
 *
 * A worker of a slot is replaced on reload: the newest gets the new jobs, the
 * older ones finish. One that outlived an earlier queue says first what it has
 * in hand, and until all of those have, nothing is handed out.
 */
#pragma once

#include "ipc/control.h"
#include "os/loop.h"
#include "queue/schedule.h"
#include "spool/log.h"

struct workers;

struct workers *workers_new(struct loop *l);
void workers_use(struct workers *w, struct spool_store *store,
                 struct schedule *s);

/* Takes fd. Nothing is read from it before workers_open(): what a worker says
 * about a message is understood only when the message is known. */
void workers_add(struct workers *w, enum role role, uint32_t slot,
                 uint64_t incarnation, int fd);
void workers_open(struct workers *w);
void workers_reaped(struct workers *w, enum role role, uint32_t slot,
                    uint64_t incarnation);

/* All that were there when we opened have said what they have in hand. */
bool workers_settled(const struct workers *w);

/* Hands out what the windows allow. */
void workers_pump(struct workers *w);
/* After the store's turn: outcomes are written, their workers may forget. */
void workers_confirm(struct workers *w);

/* For struct spool_log_setup; ctx is the struct workers. */
void workers_forget(void *ctx, uint64_t segment);
