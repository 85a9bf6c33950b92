/* SPDX-License-Identifier: ISC */
/* Our programs: they lie in one folder. */
#pragma once

#include "base/err.h"

/* Goes on as another program of ours, whose file lies beside this one's; the
 * process, its descriptors and its environment stay. Returns where that cannot
 * be, with *e. */
void program_become(const char *name, char *const *argv, struct err *e);
