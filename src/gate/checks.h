/* SPDX-License-Identifier: ISC */
/*
 * The checks, one a file, in the order of the table (table.c). Between the
 * files of gate/ and their tests only.
 */
#pragma once

#include "gate/gate.h"

static inline struct gate_verdict
gate_pass(void)
{
    return (struct gate_verdict){.reason = STR_EMPTY};
}

static inline struct gate_verdict
gate_refuse(struct str reason)
{
    return (struct gate_verdict){.reason = reason};
}

/* The answer of a list that refuses who is in it. */
struct gate_verdict gate_listed(const struct gate_answer *a, struct str reason);

struct gate_verdict gate_too_large(const struct gate_facts *f);

/* A mailbox or alias of ours whose name is one typing error away, or empty. */
struct str gate_nearest(const struct gate_facts *f);

/* Why a list of senders is not asked, or NULL. */
const char *gate_skip_sender_list(const struct gate_facts *f,
                                  enum list_id list);

extern const struct gate_check
    /* CONNECT */
    gate_clients_refused,
    gate_connections, gate_rate, gate_early_talker,
    /* HELLO */
    gate_hello_syntax, gate_hello_name,
    /* MAIL */
    gate_login, gate_account, gate_receive_only, gate_size, gate_sender_address,
    gate_own_domain, gate_sender_yours, gate_null_sender, gate_badmailfrom,
    gate_sender_deny, gate_sender_domain,
    /* RCPT */
    gate_count, gate_recipient_address, gate_recipient_mx, gate_rcpthosts,
    gate_relay, gate_validrcptto, gate_recipient, gate_state, gate_members,
    /* DATA */
    gate_form, gate_loop, gate_message_rules;
