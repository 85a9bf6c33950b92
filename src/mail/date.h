/* SPDX-License-Identifier: ISC */
/*
 * Moments as mail and logs write them. Nothing here reads a clock or knows a
 * zone: both come as numbers. What lies outside the years 1970 to 9999 is
 * written as the nearest moment inside.
 */
#pragma once

#include "base/buf.h"

/* "Tue, 24 Nov 2026 05:47:43 +0000" (RFC 5322, 3.3), as seen in a zone
 * offset_minutes east of UTC, less than a day. */
void date_add_mail(struct buf *to, int64_t wall_ms, int offset_minutes);

/* "2026-11-24T05:47:43.123Z" (RFC 3339). */
void date_add_log(struct buf *to, int64_t wall_ms);
