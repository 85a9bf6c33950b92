/* SPDX-License-Identifier: ISC */
/*
 * How much an account may still send: counted when MAIL and RCPT are accepted,
 * taken back when the message does not come to be, across all workers.
 */
#pragma once

#include "receive/session.h"

/* A message, or one recipient more. false: refused for now, with the number and
 * the time at which it is counted anew. */
bool allowance_take_message(struct session *s, struct str sender);
bool allowance_take_recipient(struct session *s, struct str recipient);

/* The recipient was said twice. */
void allowance_return_recipient(struct session *s);

/* The message is kept: it counts. */
void allowance_spend(struct session *s);
/* It never was one. */
void allowance_give_back(struct session *s);
