/* SPDX-License-Identifier: ISC */
/*
 * Lines of mail logs: Postfix, Sendmail and OpenSMTPD in syslog, Exim's main
 * log.
 */
#pragma once

#include "base/str.h"

enum logline_outcome {
    LOGLINE_NONE = 0, /* a line about something else */
    LOGLINE_SENT,
    LOGLINE_DEFERRED,
    LOGLINE_FAILED, /* refused to whom we sent, or by us to whom sent us */
};

/* Slices of the line. */
struct logline {
    enum logline_outcome outcome;
    struct str agent;
    struct str recipient, sender, remote, status, said, stage, id, host;
};

/* Is it a line of a log of mail servers at all? */
bool logline_is(struct str line);

/* What the line says of one recipient. */
bool logline_read(struct str line, struct logline *out);
