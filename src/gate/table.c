/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

/* The order is part of what we promise (docs/gate.md). What costs a look-up
 * stands behind what does not. */
static const struct gate_check *const table[] = {
    &gate_login,          &gate_size,
    &gate_sender_address, &gate_own_domain,
    &gate_sender_yours,   &gate_null_sender,
    &gate_badmailfrom,    &gate_sender_deny,
    &gate_sender_domain,

    &gate_count,          &gate_recipient_address,
    &gate_recipient_mx,   &gate_rcpthosts,
    &gate_relay,          &gate_validrcptto,
    &gate_recipient,

    &gate_form,           &gate_loop,
};

const struct gate_check *
gate_check_at(size_t i)
{
    return i < sizeof table / sizeof *table ? table[i] : NULL;
}
