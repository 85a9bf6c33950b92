/* SPDX-License-Identifier: ISC */
/* Of what kind a notice is: by what its report says was done, by its words, by
 * its header. */
#pragma once

#include "explain/claim.h"
#include "explain/explain.h"
#include "explain/notice.h"

/* Failed, delayed, delivered or relayed: one recipient of a notice. */
enum explain_kind kind_of_claim(struct arena *a, struct notice *n,
                                const struct claim *c);

/* RFC 3834, and what answering programs did before it. known: its words open
 * as those of a mail system do. */
bool kind_is_autoreply(struct arena *a, struct notice *n, bool known);

/* Written by a mail program for someone who wants no more of it (RFC 2369,
 * List-Unsubscribe): a complaint of its author. */
bool kind_is_unsubscribe(const struct notice *n);

/* RFC 5965, of which somebody handed on the words alone. */
bool kind_is_complaint(const struct notice *n);
