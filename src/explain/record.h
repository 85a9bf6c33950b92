/* SPDX-License-Identifier: ISC */
/* The records of an explanation: one a recipient, fit to be shown. */
#pragma once

#include "explain/explain.h"

enum { RECORDS_MOST = 2000 };

/* The reason that the kind gives where no failure does; of a refusal to relay,
 * whose it is: the sender's own outgoing server wants a login, or the
 * recipient's does not know the domain. */
void record_finish(struct explained *e);

/* Appends a copy whose slices are the arena's, UTF-8 without controls. Of one
 * recipient (case ignored) the first word counts, or, in a log, the last;
 * beyond RECORDS_MOST the explanation is cut. */
void record_add(struct explanation *out, struct arena *a, struct explained e,
                bool last_counts);
