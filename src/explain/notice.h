/* SPDX-License-Identifier: ISC */
/*
 * One message taken apart: which of its octets are words for people, which a
 * report for machines, which the message that came back. Nothing is judged.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "mail/fields.h"

enum {
    NOTICE_PROSE_LONGEST = 256 << 10, /* octets of words that are read */
    NOTICE_REPORT_LONGEST = 1 << 20,
    NOTICE_HEADER_LONGEST = 1 << 20,
};

/* Slices of the octets or in the arena. */
struct notice {
    struct fields header; /* empty: none was there */
    struct str prose;     /* text of all parts in UTF-8, lines end with "\n" */
    struct str report;    /* message/delivery-status, decoded */
    struct str feedback;  /* message/feedback-report, decoded */
    struct fields returned; /* header of the message that came back */
    struct str inner;       /* a whole message in it, a bounce perhaps */
    struct str report_type; /* of multipart/report: "delivery-status" */
    bool disposition;       /* a receipt, RFC 8098 */
    bool cut;
};

void notice_take(struct notice *n, struct arena *a, struct str message);

/* A field of a header, decoded (RFC 2047), in one line; empty: none. */
struct str notice_field(struct arena *a, struct fields *header,
                        struct str name);

/* Does text begin with the header of a message? */
bool notice_has_header(struct str text);

/* Is this the header of a notice of a mail system: by its author, its subject,
 * its return path or its type? */
bool notice_speaks_of_delivery(struct arena *a, struct fields *header);
