/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

struct str
gate_size(const struct gate_limits *l, uint64_t declared)
{
    return declared > l->max_size ? STR("too-large") : STR_EMPTY;
}
