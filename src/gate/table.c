/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

/* The order is part of what we promise (docs/gate.md). What costs a look-up
 * stands behind what does not. */
// clang-format off
static const struct gate_check *const table[] = {
    /* CONNECT */
    &gate_clients_refused,
    &gate_connections,
    &gate_rate,
    &gate_early_talker,
    /* HELLO */
    &gate_hello_syntax,
    &gate_hello_name,
    /* MAIL */
    &gate_login,
    &gate_account,
    &gate_receive_only,
    &gate_size,
    &gate_sender_address,
    &gate_own_domain,
    &gate_sender_yours,
    &gate_null_sender,
    &gate_badmailfrom,
    &gate_sender_deny,
    &gate_sender_domain,
    /* RCPT */
    &gate_count,
    &gate_recipient_address,
    &gate_recipient_mx,
    &gate_rcpthosts,
    &gate_relay,
    &gate_validrcptto,
    &gate_recipient,
    &gate_state,
    &gate_members,
    /* DATA */
    &gate_form,
    &gate_loop,
    &gate_message_rules,
};
// clang-format on

const struct gate_check *
gate_check_at(size_t i)
{
    return i < sizeof table / sizeof *table ? table[i] : NULL;
}
