/* SPDX-License-Identifier: ISC */
/* The parts of a report, each by its own file. */
#pragma once

#include "catalogue/catalogue.h"
#include "dsn/dsn.h"

/* It tells of success. */
bool dsn_is_success(const struct verdict *v);

/* The text for people, lines end with "\n", valid UTF-8 (text.c). */
void dsn_add_text(struct buf *to, const struct dsn_report *r, bool whole_copy);

/* The body of (global-)delivery-status; utf8: addresses may be UTF-8
 * (status.c). */
void dsn_add_status(struct buf *to, const struct dsn_report *r, bool utf8);

/* UTF-8 (utf8) or printable ASCII of what may be anything; no line ends. */
void dsn_add_clean(struct buf *to, struct str s, bool utf8);
