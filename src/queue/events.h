/* SPDX-License-Identifier: ISC */
/* What became of a recipient, as one line of the log: "delivered", "relayed",
 * "deferred", "bounced"; and "expanded" for an alias. The journal gets the
 * same with the envelope. */
#pragma once

#include "queue/schedule.h"

/* For struct schedule_hooks; the context is the room's diary, or NULL. */
void events_settled(void *ctx, const struct schedule_event *e);
void events_expanded(void *ctx, const struct sched_message *m,
                     struct str address, size_t n);
