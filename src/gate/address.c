/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

struct str
gate_address(struct arena *a, const struct address *recipient)
{
    return address_key(a, recipient).n == 0 ? STR("bad-recipient-address")
                                            : STR_EMPTY;
}
