/* SPDX-License-Identifier: ISC */
/*
 * What the gate needs from outside, found out by a command: the sources of the
 * lists themselves, and the DNS. A server keeps its lists mapped and parks its
 * session; a command waits.
 */
#pragma once

#include "cli/command.h"
#include "gate/gate.h"

struct sources;

/* in->conf is read; it is borrowed. */
struct sources *sources_new(struct invocation *in);
void sources_free(struct sources *s);

/* Answers all that gate_needs() asks for at that stage. What cannot be looked
 * up is TROUBLE, and said on stderr. */
void sources_answer(struct sources *s, enum gate_stage stage,
                    struct gate_facts *f);
