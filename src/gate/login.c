/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

struct str
gate_login(const struct gate_session *s)
{
    if (s->auth_required && !s->local && s->user.n == 0)
        return STR("login-needed");
    return STR_EMPTY;
}
