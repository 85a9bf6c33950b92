/* SPDX-License-Identifier: ISC */
/*
 * What is to be delivered next: a view of the spool, in memory. It claims due
 * recipients, routes each, expands aliases, makes one job per message and
 * destination, hands jobs out as windows allow, and turns what workers report
 * into settlements. It owns no descriptor and reads no clock.
 *
 *     schedule_fill(s, now, 256);
 *     while ((job = schedule_next(s, CARRIER_SEND, slot)) != NULL) send it
 *     ... later, for each frame of outcomes:
 *     schedule_report(s, &frame, now);
 */
#pragma once

#include "book/book.h"
#include "ipc/job.h"
#include "queue/lanes.h"
#include "queue/outcome.h"
#include "queue/route.h"
#include "spool/spool.h"

/* What became of one recipient, for the log. Slices die with the call. */
struct schedule_event {
    enum fate fate;
    const struct sched_message *message;
    struct str address; /* as routed: an alias's target, not the alias */
    const struct spool_settlement *settlement;
};

struct schedule_options {
    struct retry_policy retry;
    struct str smarthost;   /* or empty; must outlive the schedule */
    uint32_t max_in_flight; /* jobs loaded */
    struct lanes_limits send, mailbox;
};

struct schedule_hooks {
    void *ctx;
    void (*on_event)(void *ctx, const struct schedule_event *e);
    /* An alias was replaced by n targets. */
    void (*on_expanded)(void *ctx, const struct sched_message *m,
                        struct str address, size_t n);
};

struct schedule;

/* The book may be empty until the first schedule_fill(). first_job: numbers
 * count up from there. */
struct schedule *schedule_new(struct spool_store *store,
                              const struct book *book,
                              const struct schedule_options *o,
                              const struct schedule_hooks *hooks,
                              uint64_t first_job);
void schedule_free(struct schedule *s); /* leases are not given back */
void schedule_configure(struct schedule *s, const struct schedule_options *o);

/* Claims up to `budget` messages and says how many; 0: none is due now, or
 * there is no room. */
unsigned schedule_fill(struct schedule *s, struct instant now, unsigned budget);

/* The next job this worker may have; the schedule keeps it until it is
 * reported or lost. */
struct sched_job *schedule_next(struct schedule *s, enum carrier c, size_t slot,
                                struct instant now);
struct sched_job *schedule_find(const struct schedule *s, uint64_t number);

/* A worker that outlived the queue has this job in hand. NULL: none of its
 * recipients is waiting any more. */
struct sched_job *schedule_adopt(struct schedule *s, enum carrier c,
                                 size_t slot, const struct job_msg *m);

/* Outcomes of a job that was taken out of its worker's list; recipients that
 * it does not name come back untried. The job is gone afterwards. */
void schedule_report(struct schedule *s, struct sched_job *j,
                     const struct job_rcpt *rcpts, size_t n,
                     struct instant now);
/* A worker died with these in hand: they are due again, each alone. */
void schedule_lost(struct schedule *s, struct sched_list *hand,
                   struct instant now);

/* Gives back what is leased of this message, so that it can be removed. Asks
 * every waiting job, so only for messages that have something leased. False:
 * a worker has some of it in hand. */
bool schedule_give_back(struct schedule *s, struct msgid id,
                        struct instant now);

size_t schedule_loaded(const struct schedule *s); /* jobs, in hand or not */
size_t schedule_in_hand(const struct schedule *s);
