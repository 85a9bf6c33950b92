/* SPDX-License-Identifier: ISC */
/*
 * Amazon SES tells of bounces, complaints and deliveries in JSON, too (through
 * SNS): one object, in the text of a mail or alone.
 */
#pragma once

#include "explain/claim.h"
#include "explain/explain.h"

struct sns {
    enum explain_kind kind;
    struct str sender, subject, reporting_mta;
};

/* false: no such object begins in text. */
bool sns_read(struct arena *a, struct str text, struct claims *c,
              struct sns *out);
