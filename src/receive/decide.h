/* SPDX-License-Identifier: ISC */
/* What a session answers to the events of its SMTP machine. */
#pragma once

#include "receive/session.h"

/* Answers now, or parks the session. */
void decide(struct session *s, const struct smtp_event *ev);

/* The spool's answer to the message at its end has come. */
void decide_stored(struct session *s);

/* What the gate asked is answered: decides the event that waited. */
void decide_facts(struct session *s);

/* The transaction is over or was never finished. */
void decide_forget(struct session *s);

/* A whole reply for this reason of the catalogue, in the worker's scratch:
 * valid until the next. `about`: the recipient, or empty. One line of log. */
struct str decide_reply(struct session *s, struct str reason, struct str sender,
                        struct str about, struct str detail);

/* Answers the event that waits with it. */
void decide_refuse(struct session *s, struct str reason, struct str about,
                   struct str detail);
