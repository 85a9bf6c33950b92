/* SPDX-License-Identifier: ISC */
/* Puts the files of days that are over in order, one after the other, on
 * another thread. */
#pragma once

#include "base/str.h"
#include "base/task.h"

/* names: files in that folder, each ended by "\n". on_done is called once,
 * then it is gone. */
void tidy_begin(struct executor x, struct str folder, struct str names,
                void (*on_done)(void *ctx), void *ctx);
