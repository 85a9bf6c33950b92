/* SPDX-License-Identifier: ISC */
/*
 * One connection to a host of a destination: it finds a target that answers,
 * opens the conversation, takes deliveries one after the other and ends when
 * there are no more.
 *
 * What fails before the first message is a matter between the hosts: the next
 * target is tried, and only when there is none left do the deliveries that
 * wait get a verdict. TLS is taken where it is offered; a handshake that fails
 * is answered by one more connection to that target, in clear, unless the
 * smarthost's password is at stake.
 */
#pragma once

#include "send/destination.h"

/* Makes one and adds it to d, whose path is known. */
void session_dial(struct destination *d);

/* An idle one takes the next delivery, or says goodbye if the room stops. */
void session_wake(struct session *s);
