/* SPDX-License-Identifier: ISC */
/*
 * What happened to a message, from whatever somebody has of it: a bounce from
 * any mail server, an SMTP reply, a line of a mail log. Octets go in, one
 * record a recipient comes out; nothing is opened, asked or guessed.
 *
 *     struct arena a = {0};
 *     struct explanation e;
 *     explain(&a, octets, &e);
 *     for (size_t i = 0; i < e.n; i++)
 *         show(&e.list[i]);
 *     arena_fini(&a);
 *
 * What the records mean for people is the catalogue's: reason->meaning, who,
 * next, in any language of catalogue/language.h.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "catalogue/catalogue.h"

enum explain_kind {
    EXPLAIN_OTHER = 0, /* ordinary mail: nothing to explain */
    EXPLAIN_FAILURE,
    EXPLAIN_DELAY,
    EXPLAIN_SUCCESS,
    EXPLAIN_RELAYED, /* handed on to where no reports come from */
    EXPLAIN_AUTOREPLY,
    EXPLAIN_COMPLAINT, /* an abuse report, RFC 5965 */
};

enum explain_confidence {
    EXPLAIN_LOW = 0, /* the text says nothing, or only a vague code does */
    EXPLAIN_MEDIUM,  /* by a code */
    EXPLAIN_HIGH,    /* by the words of who refused, or by the kind */
};

/* One recipient. Slices live in the arena; all are valid UTF-8 without controls
 * but for "\n" in said; empty: not in the message. */
struct explained {
    enum explain_kind kind;
    struct str recipient;        /* as written, without < and > */
    const struct reason *reason; /* never NULL; its klass is the class */
    enum explain_confidence confidence;
    struct str wording_of;    /* who is known to say so, "qmail"; empty: many */
    bool permanent;           /* trying again will not help */
    struct str reply;         /* "553" */
    struct str status;        /* "5.1.1" */
    struct str action;        /* "failed", "delayed", … (RFC 3464, 2.3.3) */
    struct str stage;         /* "RCPT TO", "end of data", … */
    struct str said;          /* what the refusing side wrote, codes and all */
    struct str remote_mta;    /* who said it */
    struct str reporting_mta; /* who wrote the notice */
    struct str agent;         /* its software, "qmail" */
    struct str sender;        /* of the message that came back */
    struct str message_id;    /* of that message, without < and > */
    struct str subject;       /* of that message */
    struct str date;          /* of the notice, RFC 3339 */
};

struct explanation {
    struct explained *list; /* at least one; recipients differ */
    uint64_t *hashes;       /* of them, for record_add() */
    size_t n, room;
    bool cut; /* too large or nested too deep: the rest was not read */
};

/* What is read of one message at most. */
enum { EXPLAIN_LONGEST = 50 << 20 };

/* Any octets; the best answer found, always at least one record. */
void explain(struct arena *a, struct str octets, struct explanation *out);

struct str explain_kind_name(enum explain_kind k);             /* "failure" */
struct str explain_confidence_name(enum explain_confidence c); /* "high" */
