/* SPDX-License-Identifier: ISC */
/*
 * Jobs on their way to workers: each destination has its own queue and a
 * window of jobs in hand, each worker slot (a lane) takes turns among its
 * destinations. So a destination that is slow, or has a hundred thousand
 * messages, costs the others nothing.
 *
 * A destination is served by one lane, chosen by its name, so that send can
 * reuse its connections and a mailbox is written by one process. What exceeds
 * a destination's share is parked: leased, but without its message in memory.
 */
#pragma once

#include "base/id.h"
#include "base/map.h"
#include "mail/envelope.h"
#include "spool/spool.h"

enum carrier { CARRIER_SEND = 0, CARRIER_MAILBOX, CARRIER_COUNT };

/* One message with jobs out of it; ends with the last of them. */
struct sched_message {
    struct arena arena;
    struct msgid id;
    struct envelope envelope;
    struct spool_locator at;
    uint64_t size;
    size_t jobs;
};

struct sched_rcpt {
    struct sched_rcpt *next;
    uint32_t index;
    uint32_t attempts;
    struct str address, orcpt;
    unsigned notify;
    bool on_vacation;
};

struct sched_job {
    struct sched_job *prev, *next; /* of the queue or the hand it is in */
    uint64_t number;
    struct sched_message *message;
    struct destination *destination;
    struct sched_lane *lane; /* while in hand */
    struct sched_rcpt *first, *last;
    size_t n_rcpts;
    void *holder; /* the worker that has it in hand */
    bool suspect; /* a worker died with it in hand */
};

/* A list of jobs: a destination's queue, or what a worker has in hand. */
struct sched_list {
    struct sched_job *first, *last;
    size_t n;
};

void sched_list_add(struct sched_list *l, struct sched_job *j);
void sched_list_remove(struct sched_list *l, struct sched_job *j);

struct parked {
    struct msgid id;
    uint32_t rcpt;
};

struct destination {
    enum carrier carrier;
    struct str name;
    struct sched_lane *lane;
    struct destination *next_ready;
    bool ready; /* in its lane's ring */
    struct sched_list waiting;
    size_t in_hand;
    size_t suspects;   /* of its jobs, with the lane */
    struct buf parked; /* of struct parked, from parked_at on */
    size_t parked_at;
    struct sched_job *building; /* of the message just being placed */
};

struct sched_lane {
    struct destination *first, *last; /* ready, in turn */
    struct sched_list suspects;
    size_t in_hand;
    bool suspect_out;
};

struct lanes_limits {
    size_t lanes;              /* workers of this carrier */
    size_t lane_window;        /* jobs in hand of one worker */
    size_t destination_window; /* jobs in hand for one destination */
    size_t waiting_max;        /* jobs loaded and not in hand */
};

struct lanes {
    struct map destinations; /* carrier and name -> struct destination */
    struct {
        struct lanes_limits limits;
        struct sched_lane *
            *lanes; /* only ever more: jobs in hand point at them */
        size_t n;
        size_t waiting; /* jobs loaded, not in hand */
    } carriers[CARRIER_COUNT];
};

void lanes_fini(struct lanes *l);
/* Also later, when the number of workers changes: waiting jobs move, those in
 * hand stay with their worker. */
void lanes_configure(struct lanes *l, enum carrier c,
                     const struct lanes_limits *limits);

struct destination *lanes_find(struct lanes *l, enum carrier c,
                               struct str name);
/* Forgets it if nothing waits, is in hand or parked. */
void lanes_release(struct lanes *l, struct destination *d);

/* At the end of its destination's queue, or among its lane's suspects. */
void lanes_wait(struct lanes *l, struct sched_job *j);
/* The next job that this worker may have now; it counts as in hand. */
struct sched_job *lanes_next(struct lanes *l, enum carrier c, size_t slot);
/* It is in hand without having waited: its worker outlived the queue. */
void lanes_adopt(struct lanes *l, struct sched_job *j, size_t slot);
/* No longer in hand. */
void lanes_back(struct lanes *l, struct sched_job *j);

/* Takes the first waiting job that `is` accepts (NULL: any) out of its queue;
 * NULL: there is none. It walks over all of them. */
struct sched_job *lanes_take_back(struct lanes *l,
                                  bool (*is)(const void *ctx,
                                             const struct sched_job *j),
                                  const void *ctx);

/* Should a further job for it be parked rather than loaded? */
bool lanes_crowded(const struct lanes *l, const struct destination *d);
void lanes_park(struct destination *d, struct msgid id, uint32_t rcpt);
/* The first parked message with all its neighbouring recipients, at most max;
 * the number of recipients, 0: nothing is parked, or none is needed yet. Ask
 * whenever one of its jobs went to a worker or came back. */
size_t lanes_unpark(const struct lanes *l, struct destination *d,
                    struct msgid *id, uint32_t *rcpts, size_t max);
