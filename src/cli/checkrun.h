/* SPDX-License-Identifier: ISC */
/*
 * A dry run through the gate, as `gatepost check mail` and `check route` do it:
 * the facts of a session that does not exist, every check of every stage with
 * its result, and the reply that the client would read.
 */
#pragma once

#include "cli/cupboard.h"
#include "cli/sources.h"
#include "gate/report.h"

struct checkrun {
    struct cupboard *cupboard;
    struct sources *sources;
    struct gate_policy policy;
    struct gate_session session;
    struct gate_facts facts;
    struct gate_report report;
    enum gate_stage stages[GATE_CHECKS_MAX]; /* of the report's lines */
    struct gate_verdict verdict;             /* the first refusal */
};

/* Who is talking is filled into x->session before the first stage. */
void checkrun_init(struct checkrun *x, struct cupboard *c);
void checkrun_fini(struct checkrun *x);

/* A stage after those before it; those behind a refusal are run too. */
void checkrun_stage(struct checkrun *x, enum gate_stage stage);

/* What is no check of the gate, but refuses: a line for the report. */
void checkrun_refuse(struct checkrun *x, enum gate_stage stage,
                     const char *check, struct str reason, struct str note);

/* Prints all; `extra` (may be NULL) goes into the JSON object. The exit status:
 * COMMAND_DONE or COMMAND_REFUSED. */
int checkrun_print(struct checkrun *x, json_t *extra);
