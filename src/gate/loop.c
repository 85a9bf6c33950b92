/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

struct str
gate_loop(const struct gate_content *c)
{
    return c->received >= GATE_RECEIVED_MAX ? STR("loop") : STR_EMPTY;
}
