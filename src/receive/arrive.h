/* SPDX-License-Identifier: ISC */
/* A client at the door: its network's share of this server, the greeting, and
 * who is not greeted. */
#pragma once

#include "receive/session.h"

/* It is here; its greeting may have to wait (WAIT_GREETING). */
void arrive_begin(struct session *s, const struct net_address *peer);

/* The time of waiting is over, or it spoke before. */
void arrive_greet(struct session *s);

/* A list that must be asked for is asked at HELO, where a session can be
 * parked. false: it is, or the client was refused. */
bool arrive_complete(struct session *s, const struct smtp_event *ev);

void arrive_end(struct session *s);
