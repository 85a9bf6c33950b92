/* SPDX-License-Identifier: ISC */
/*
 * Reads the part of a notice that is for machines (message/delivery-status, RFC
 * 3464; 6533), as strictly as its writers were: fields in any order and case,
 * in groups that an empty line or the next recipient ends, lines folded or
 * wrapped.
 */
#pragma once

#include "explain/claim.h"

struct report {
    struct str reporting_mta; /* without its type, "dns;" */
    struct str sender;        /* X-Postfix-Sender and its kind */
    struct str arrival_date;
    bool found; /* a field of a report was there */
};

/* Is this line a field that only reports have? */
bool report_begins(struct str line);

/* Reads text into claims; ends at its end or where a MIME boundary or another
 * header begins, and returns what is left. */
struct str report_read(struct str text, struct claims *c, struct report *r);
