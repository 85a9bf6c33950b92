/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

struct str
gate_form(const struct gate_content *c)
{
    if (c->bare)
        return STR("bare-line-ends");
    if (c->too_large)
        return STR("too-large");
    return c->long_line ? STR("malformed") : STR_EMPTY;
}
