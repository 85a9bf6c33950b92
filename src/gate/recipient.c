/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

struct str
gate_recipient(const struct book_route *route)
{
    return route->answer == BOOK_UNKNOWN ? STR("unknown-recipient") : STR_EMPTY;
}
