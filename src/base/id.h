/* SPDX-License-Identifier: ISC */
/*
 * Names for messages and incidents.
 *
 * A message id is the writer's number and that writer's sequence: unique for
 * ever without a clock, since a writer number is never given out twice.
 * Written in base 62 (0-9 A-Z a-z) as WRITER-SEQUENCE, "2b-9Xk".
 *
 * A session and an incident are named by ten characters, "7K3MQ-2DF9P": a
 * keyed permutation of worker and counter, so unique and not to be guessed.
 * The alphabet has no I, L, O or U.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct msgid {
    uint64_t writer;
    uint64_t seq;
};

enum { MSGID_TEXT = 24, INCIDENT_TEXT = 12 };

bool msgid_eq(struct msgid a, struct msgid b);
/* NUL-terminated into out[MSGID_TEXT]; returns out as a slice. */
struct str msgid_format(struct msgid id, char out[MSGID_TEXT]);
bool msgid_parse(struct str text, struct msgid *id);

/* counter below 2^40, worker below 2^10; key is 16 random octets. */
struct str incident_format(const unsigned char key[16], unsigned worker,
                           uint64_t counter, char out[INCIDENT_TEXT]);
