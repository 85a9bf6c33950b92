/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

bool
gate_may_relay(const struct gate_session *s)
{
    return s->local || s->user.n > 0 || (s->in_networks && !s->auth_required);
}

struct str
gate_relay(const struct gate_session *s, const struct book_route *route)
{
    if (route->answer == BOOK_REMOTE && !gate_may_relay(s))
        return STR("relay-denied");
    return STR_EMPTY;
}
