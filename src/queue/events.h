/* SPDX-License-Identifier: ISC */
/* What became of a recipient, as one line of the log: "delivered", "relayed",
 * "deferred", "bounced"; and "expanded" for an alias. */
#pragma once

#include "queue/schedule.h"

/* For struct schedule_hooks; no context. */
void events_settled(void *ctx, const struct schedule_event *e);
void events_expanded(void *ctx, const struct sched_message *m,
                     struct str address, size_t n);
