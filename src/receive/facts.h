/* SPDX-License-Identifier: ISC */
/*
 * What the gate must know from outside for a verdict. Lists that are mapped
 * here are looked into at once; lists in a database and the DNS are asked, all
 * at the same time, and the session is parked (WAIT_FACTS) with a copy of its
 * event until the last answer has come. Then the event is decided anew, and
 * this time all is known. What the commands behind it will ask of databases is
 * asked with it: ahead.h.
 *
 *     if (!facts_complete(s, GATE_RCPT, &f, ev))
 *         return;                          // decided later
 *     v = gate_judge(GATE_RCPT, &f, NULL);
 */
#pragma once

#include "receive/session.h"

/* Of one parked event. */
struct parked;

/* What is known of the session itself. */
struct gate_facts facts_of(struct session *s);

/* The sender of the transaction, the null sender too: for f->sender. */
void facts_sender(const struct session *s, struct address *sender);

/* The look-ups that somebody must be asked for; f->answers has the others. */
unsigned facts_missing(struct session *s, enum gate_stage stage,
                       struct gate_facts *f);

enum gate_known facts_known(enum list_found found);

/* Fills in f->answers as far as nobody must be asked. false: somebody must. */
bool facts_at_hand(struct session *s, enum gate_stage stage,
                   struct gate_facts *f);

/* Fills in f->answers. false: the session is parked. */
bool facts_complete(struct session *s, enum gate_stage stage,
                    struct gate_facts *f, const struct smtp_event *ev);

/* Are all the answers there? Then take the event; it lives until facts_end().
 */
bool facts_ready(const struct session *s);
const struct smtp_event *facts_event(const struct session *s);

/* What was not answered by now counts as trouble. */
void facts_late(struct session *s);

/* Questions that are still open are cancelled. */
void facts_end(struct session *s);
