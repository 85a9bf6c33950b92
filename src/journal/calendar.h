/* SPDX-License-Identifier: ISC */
/* Days of UTC by their number, 0 is 1970-01-01, and the files named after them:
 * "2026-11-24.db". */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum { CALENDAR_DAY_MS = 24 * 60 * 60 * 1000 };

int64_t calendar_day(int64_t wall_ms);

void calendar_add_name(struct buf *to, int64_t day);

/* "2026-11-24" at the front of *in, a day that exists: steps over it. */
bool calendar_take_date(struct str *in, int64_t *day);

/* The file of a day, by its name in the folder. */
bool calendar_is_file(struct str name, int64_t *day);
