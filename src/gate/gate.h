/* SPDX-License-Identifier: ISC */
/*
 * The gate: who may send what to whom. Named checks, one a file, each a pure
 * function of facts: what the session is, what the address book says, what the
 * lists and the DNS answered. A check passes, is skipped, or refuses with a
 * reason of the catalogue; the table (gate_check_at) is their fixed order, and
 * within a stage the first refusal counts.
 *
 * No check asks the DNS, waits, or counts across sessions. It says what it
 * needs to know, and the shell, a room or the command line, finds out:
 *
 *     struct gate_facts f = {.policy = p, .session = s, .book = b, .arena = a};
 *     gate_facts_sender(&f, &sender, declared_size);
 *     while ((needs = gate_needs(GATE_MAIL, &f)) != 0)
 *         ... for each bit: n = gate_keys(&f, lookup, keys), ask,
 *             f.answers[lookup] = ...                  // all of them at once
 *     v = gate_judge(GATE_MAIL, &f, NULL);
 *     if (v.reason.n > 0) ...
 *
 * What a look-up found is NO, YES or TROUBLE; trouble is never a reason to
 * refuse for good.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "book/book.h"
#include "book/lists.h"
#include "mail/address.h"

enum gate_stage {
    GATE_CONNECT = 0,
    GATE_HELLO,
    GATE_MAIL,
    GATE_RCPT,
    GATE_DATA, /* the whole message has come */
    GATE_STAGES
};

/* What a check may need to know from outside: first the lists, by the numbers
 * of enum list_id, then questions to the DNS. Bit 1U << lookup in a set. */
enum gate_lookup {
    /* Does the sender's domain have an MX, A or AAAA record? NO with the value
     * "null MX" where it says that it has no mail. */
    GATE_ASK_SENDER_DOMAIN = LIST_COUNT,
    /* Does an MX record of the recipient's domain name this host? */
    GATE_ASK_RECIPIENT_MX,
    GATE_LOOKUPS
};

enum gate_known {
    GATE_NOT_ASKED = 0,
    GATE_NO,
    GATE_YES,
    GATE_TROUBLE, /* cannot be said now */
};

struct gate_answer {
    enum gate_known known;
    struct str key;   /* YES of a list: the entry that was there */
    struct str value; /* what stands behind it */
};

/* ---- facts -------------------------------------------------------------- */

/* The config's part in it. */
struct gate_policy {
    uint64_t max_size;
    uint32_t max_recipients;
    unsigned lists;                /* 1U << list_id: the config names it */
    bool sender_domain_must_exist; /* gate.sender-domain */
    bool null_sender_refused;      /* gate.null-sender */
    bool own_domain_open;          /* gate.own-domain: no login needed */
    bool recipient_mx_checked;     /* gate.recipient-mx */
    bool hello_any;                /* gate.hello */
    bool message_rules;            /* gate.message-rules: there are some */
    int64_t greeting_delay_ms;     /* gate.greeting-delay; 0: none */
    uint32_t client_connections;   /* of one network at once; 0: no limit */
    uint32_t client_rate;          /* new ones a minute; 0: no limit */

    /* The line of an option ("gate.badmailfrom"), 0: not known. May be NULL. */
    uint32_t (*line)(void *ctx, struct str option);
    void *ctx;
};

/* Who is talking. */
struct gate_session {
    bool auth_required; /* a listener for submission only */
    bool local;         /* a program on this machine, by the submit socket */
    bool in_networks;   /* the client's address is in relay.networks */
    struct str user;    /* the account logged in as (a key), or empty */
    struct str client;  /* its address as text, or empty: local */
    struct str helo;    /* as said, any octets; empty: nothing yet */
    bool loopback;      /* its address is one of this host's own */
    bool early;         /* it spoke before our greeting */

    /* Of its network: open now, and begun within the last minute; with this
     * one. */
    uint32_t connections, rate;
};

/* A message that came to its end. */
struct gate_content {
    bool bare;      /* a CR or LF stood alone */
    bool too_large; /* it went beyond max_size */
    bool long_line;
    uint32_t received; /* Received fields in its header */
    uint32_t rule;     /* line of the message rule that fits; 0: none */
    struct str remark; /* of that rule */
};

enum { GATE_RECEIVED_MAX = 50 };

struct gate_facts {
    const struct gate_policy *policy;
    const struct gate_session *session;
    const struct book *book;
    struct arena *arena; /* of this decision: verdicts live in it */
    bool thorough;       /* needs and judges what stands behind a refusal too */

    /* MAIL: gate_facts_sender() */
    const struct address *sender; /* whole is empty: the null sender */
    struct str sender_key;        /* address_key() */
    bool sender_ours;             /* its domain is */
    uint64_t declared;            /* SIZE=, 0: not given */

    /* RCPT: gate_facts_recipient() */
    const struct address *recipient;
    struct str recipient_key;
    struct book_route route;
    size_t accepted; /* recipients before this one */

    /* DATA */
    struct gate_content content;

    struct gate_answer answers[GATE_LOOKUPS];
};

/* The addresses are borrowed as long as the facts are used. */
void gate_facts_sender(struct gate_facts *f, const struct address *sender,
                       uint64_t declared);
void gate_facts_recipient(struct gate_facts *f, const struct address *recipient,
                          size_t accepted);

/* May this session relay, that is send to other hosts' domains? */
bool gate_may_relay(const struct gate_session *s);

/* Does this client have to wait for the greeting? */
bool gate_greets_late(const struct gate_policy *p,
                      const struct gate_session *s);

/* ---- look-ups ----------------------------------------------------------- */

/* An address, its domain, and every domain above. */
enum { GATE_KEYS_MAX = 130 };

/* What to look for, the most specific key first: the first that a list holds is
 * the answer. For the DNS the one key is a domain. 0: the answer is NO. */
size_t gate_keys(const struct gate_facts *f, enum gate_lookup lookup,
                 struct str keys[GATE_KEYS_MAX]);

/* The look-ups that are missing for a verdict; 0: judge. */
unsigned gate_needs(enum gate_stage stage, const struct gate_facts *f);

/* ---- verdicts ----------------------------------------------------------- */

struct gate_verdict {
    struct str reason; /* of the catalogue; empty: pass */
    struct str detail; /* a sentence for %{detail}, or empty */
    struct str rule;   /* the entry of the list that decided, for the admin */
    const struct gate_check *check; /* who refused; gate_judge() fills it in */
};

struct gate_check {
    const char *name; /* "relay" */
    enum gate_stage stage;
    const char *option; /* what switches it on or sets it; NULL: always on */
    unsigned needs;     /* look-ups, 1U << enum gate_lookup */

    /* NULL: it applies; else why it does not, for the report. Called before
     * look-ups are made, so it must not look at answers. May be NULL. */
    const char *(*skip)(const struct gate_facts *f);
    struct gate_verdict (*judge)(const struct gate_facts *f);
};

/* In the order in which they are asked; NULL behind the last. */
const struct gate_check *gate_check_at(size_t i);

/* report may be NULL. Look-ups that were not made count as skipped. */
struct gate_report;
struct gate_verdict gate_judge(enum gate_stage stage,
                               const struct gate_facts *f,
                               struct gate_report *report);
