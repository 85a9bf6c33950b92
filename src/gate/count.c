/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

struct str
gate_count(const struct gate_limits *l, size_t n)
{
    return n >= l->max_recipients ? STR("too-many-recipients") : STR_EMPTY;
}
