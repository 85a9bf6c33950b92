/* SPDX-License-Identifier: ISC */
/* A notice that recipients failed: when none may be written, and how the debt
 * becomes a report (dsn/dsn.h). Pure. */
#pragma once

#include "dsn/dsn.h"
#include "ipc/notice.h"

/* Why this failure is reported to nobody; NULL: it is. */
const char *bounce_forbidden(const struct notice_msg *m);

/* Everything that the notice says; who writes, when, and under which id is the
 * caller's to add. content: of the original, as the queue gave it. Slices
 * borrow from both, the recipients are in the arena. */
struct dsn_report bounce_report(struct arena *a, const struct notice_msg *m,
                                struct str content);
