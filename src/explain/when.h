/* SPDX-License-Identifier: ISC */
/* Dates as messages write them, in the form of RFC 3339. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* "Tue, 24 Nov 2026 05:47:43 +0100 (CET)" (RFC 5322, 3.3, 4.3) as
 * "2026-11-24T05:47:43+01:00"; empty: not to be read. */
struct str when_rfc3339(struct arena *a, struct str date);
