/* SPDX-License-Identifier: ISC */
/* What the halves of the schedule share: place.c makes jobs of messages,
 * schedule.c keeps them and settles. */
#pragma once

#include "queue/schedule.h"

struct schedule {
    struct spool_store *store;
    const struct book *book;
    struct schedule_options o;
    struct schedule_hooks hooks;
    struct lanes lanes;
    struct map jobs;       /* number -> sched_job, in hand */
    struct map given_back; /* parked recipients that are leased no more */
    uint64_t next_number;
    size_t loaded, in_hand;
};

enum place_how {
    PLACE_CLAIMED = 0, /* may be parked where its destination is crowded */
    PLACE_SUSPECT,     /* a worker died at it: it waits its turn alone */
    PLACE_PARKED,      /* was parked, and its time has come */
};

struct sched_message *message_new(void);
void message_free(struct sched_message *m);

/* All of these leased recipients become jobs, wait parked, or are settled. The
 * message goes if no job needs it. */
void place_message(struct schedule *s, struct sched_message *m,
                   const struct spool_rcpt *rcpts, size_t n, enum place_how how,
                   struct instant now);

/* A job by itself, in no list yet; and a recipient for it. */
struct sched_job *place_job(struct schedule *s, struct sched_message *m,
                            struct destination *d);
void place_rcpt(struct sched_job *j, const struct spool_rcpt *r,
                bool on_vacation);

void schedule_settle(struct schedule *s, struct sched_message *m,
                     struct str address, uint32_t index,
                     const struct outcome_facts *facts, const struct verdict *v,
                     struct instant now);
