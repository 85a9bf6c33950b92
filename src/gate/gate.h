/* SPDX-License-Identifier: ISC */
/*
 * The gate: who may send what to whom. Named checks, one a file, each a pure
 * function of facts: what the session is, what the address book says, what was
 * counted. The answer is the catalogue's id of the reason to refuse, or the
 * empty slice: pass.
 *
 * A stage runs its checks in a fixed order and the first reason counts:
 *
 *     MAIL  login-needed, too-large (declared), sender-not-yours
 *     RCPT  too-many-recipients, bad-recipient-address, relay-denied,
 *           unknown-recipient
 *     end   bare-line-ends, too-large, malformed, loop
 *
 * No check asks the DNS, waits, or counts across sessions.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "book/book.h"
#include "mail/address.h"

/* Who is talking. */
struct gate_session {
    bool auth_required; /* a listener for submission only */
    bool local;         /* a program on this machine, by the submit socket */
    bool in_networks;   /* the client's address is in relay.networks */
    struct str user;    /* the account logged in as (a key), or empty */
};

struct gate_limits {
    uint64_t max_size;
    uint32_t max_recipients;
};

/* A message that came to its end. */
struct gate_content {
    bool bare;      /* a CR or LF stood alone */
    bool too_large; /* it went beyond max_size */
    bool long_line;
    uint32_t received; /* Received fields in its header */
};

enum { GATE_RECEIVED_MAX = 50 };

/* May this session relay, that is send to other hosts' domains? */
bool gate_may_relay(const struct gate_session *s);

/* login-needed (530): where a login is required nothing stands in for it but
 * the submit socket; relay.networks does not. */
struct str gate_login(const struct gate_session *s);

/* sender-not-yours (553): who logged in writes as themselves, by their own
 * addresses and aliases. The null sender is everybody's: receipts (RFC 8098)
 * must have it, and nobody is impersonated. */
struct str gate_sender(const struct gate_session *s, const struct book *b,
                       struct arena *a, const struct address *sender);

/* too-large (552): of SIZE= at MAIL; 0: not declared. */
struct str gate_size(const struct gate_limits *l, uint64_t declared);

/* too-many-recipients (452): n were accepted already. */
struct str gate_count(const struct gate_limits *l, size_t n);

/* bad-recipient-address (501): its domain has no form that could be looked up.
 */
struct str gate_address(struct arena *a, const struct address *recipient);

/* relay-denied (553): not our domain, and who asks may not relay. The domain
 * is what stands behind the last "@": no route, percent sign, bang, quoted "@"
 * or literal of our own leads anywhere else. */
struct str gate_relay(const struct gate_session *s,
                      const struct book_route *route);

/* unknown-recipient (553): our domain, no such mailbox. */
struct str gate_recipient(const struct book_route *route);

/* bare-line-ends, malformed (554) and too-large of the whole message. */
struct str gate_form(const struct gate_content *c);

/* loop (554). */
struct str gate_loop(const struct gate_content *c);

/* The stages. */
struct str gate_mail(const struct gate_session *s, const struct gate_limits *l,
                     const struct book *b, struct arena *a,
                     const struct address *sender, uint64_t declared);
struct str gate_rcpt(const struct gate_session *s, const struct gate_limits *l,
                     const struct book *b, struct arena *a,
                     const struct address *recipient, size_t accepted);
struct str gate_end(const struct gate_content *c);
