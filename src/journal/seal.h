/* SPDX-License-Identifier: ISC */
/*
 * A day that is over is put in order: its words in one sorted block, its file
 * alone and closed, with a filter beside it (journal/filter.h), so that a
 * look-up weeks of mail later costs one read, or a descent. Takes seconds for a
 * busy day, so it runs off the loop.
 */
#pragma once

#include "base/err.h"

/* Nothing to do is done, too. Blocks; any thread. */
bool seal_day(const char *path, struct err *e);
