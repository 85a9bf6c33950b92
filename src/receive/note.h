/* SPDX-License-Identifier: ISC */
/*
 * What this room tells the journal (room/diary.h): each refusal is an incident
 * with a name of its own, up to NOTE_APART of the same reason in a session;
 * what follows has the name of the last, and is counted. So a guesser of
 * addresses costs the journal a number, and everybody's reply can be asked
 * about.
 *
 *     note_verdict(s, GATE_RCPT, &facts, &verdict);
 *     incident = note_incident(s, reason, name);
 *     ... the reply is made ...
 *     note_refused(s, &refusal);
 */
#pragma once

#include "receive/session.h"

struct reason;

enum { NOTE_APART = 10 };

/* The gate has refused: what every check said, for the note that follows. */
void note_verdict(struct session *s, enum gate_stage stage,
                  const struct gate_facts *f, const struct gate_verdict *v);

struct str note_incident(struct session *s, struct str reason,
                         char out[INCIDENT_TEXT]);

struct note_refusal {
    struct str reason, incident;
    struct str sender;    /* empty: the null sender, or none yet */
    struct str recipient; /* or empty */
    struct str detail;
    struct str reply; /* as it is sent */
};

void note_refused(struct session *s, const struct note_refusal *r);
void note_accepted(struct session *s, struct str id);
void note_login(struct session *s);
