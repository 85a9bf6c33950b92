/* SPDX-License-Identifier: ISC */
/*
 * What each check of a stage said, for `gatepost check mail` and the journal.
 * As text it is one line a check, fields between tabs:
 *
 *     badmailfrom <TAB> refused <TAB> gate.badmailfrom:17 <TAB> badmailfrom
 *         <TAB> @spam.example <TAB> *
 *
 * check; passed, skipped or refused; option and its line in the config (empty:
 * it has none, no colon: its line is not known); reason of a refusal; a note
 * (why skipped, the list's entry that decided); "*" for the one that decided.
 */
#pragma once

#include "gate/gate.h"

enum { GATE_CHECKS_MAX = 48 };

enum gate_result {
    GATE_PASSED = 0,
    GATE_SKIPPED,
    GATE_REFUSED,
};

struct gate_report_line {
    struct str check;
    enum gate_result result;
    struct str option;
    uint32_t line; /* in the config; 0: not known */
    struct str reason, note;
    bool decided;
};

/* Several stages may add to the same report. */
struct gate_report {
    struct gate_report_line lines[GATE_CHECKS_MAX];
    size_t n;
};

const char *gate_result_name(enum gate_result r);

void gate_report_add(struct buf *to, const struct gate_report *r);

/* Takes one line off the text; false: there is none, or none of this form. The
 * slices borrow from the text. */
bool gate_report_take(struct str *text, struct gate_report_line *line);
