/* SPDX-License-Identifier: ISC */
/*
 * Times as people type them, in UTC like the log: "24h", "90m", "7d" ago;
 * "10:32" of today (or of yesterday, if that is still to come);
 * "2026-11-24", "2026-11-24T10:32", "2026-11-24T10:32:05Z". Each means a span:
 * a date the whole day, a minute all of it.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct moment {
    int64_t from_ms, until_ms; /* both included */
};

bool moment_parse(struct str text, int64_t now_ms, struct moment *m);
