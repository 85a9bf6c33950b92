/* SPDX-License-Identifier: ISC */
/*
 * What a notice claims of its recipients, one record each, gathered from all
 * its parts before anything is judged: the report for machines, the words for
 * people, header fields.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"

enum {
    CLAIMS_MOST = 2000,       /* recipients of one notice; more are not read */
    CLAIM_TEXT_LONGEST = 4096 /* octets kept of what is said of one */
};

/* Slices borrow from the notice or its arena. */
struct claim {
    struct str recipient; /* as written; empty: nobody is named */
    struct str original; /* Original-Recipient, where Final-Recipient differs */
    struct str action, status, diagnostic, remote_mta; /* of the report */
    struct str status_text; /* words behind the Status */
    struct str stage;       /* "RCPT TO", as the words say */
    struct str host;        /* who said it, as the words say */
    struct buf text;        /* the words about this recipient, lines end with
                               "\n", paragraphs with an empty one */
    bool reported;          /* the report for machines names it */
    bool local;             /* its diagnostic is what a delivery program said */
};

struct claims {
    struct arena *a;
    struct claim **list;
    size_t n, cap;
    struct map by_address;
    bool cut;
};

void claims_init(struct claims *c, struct arena *a);
void claims_fini(struct claims *c);

/* The claim of this address (case ignored), a new one where there is none; NULL
 * beyond CLAIMS_MOST. */
struct claim *claims_of(struct claims *c, struct str address);
struct claim *claims_find(const struct claims *c, struct str address);

/* Gives an address to the one claim whose recipient is none: a file, a program,
 * a route without a local part. NULL: there is no such claim, or several. */
struct claim *claims_name_unknown(struct claims *c, struct str address);

/* Appends a line to what is said of it, up to the limit. */
void claim_say(struct claim *c, struct str line);
