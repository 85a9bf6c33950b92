/* SPDX-License-Identifier: ISC */
/*
 * Mail addresses (RFC 5321 4.1.2, RFC 6531): one grammar function per
 * production, and the forms in which addresses are compared.
 *
 * Nothing here says whether an address exists. A percent sign, an exclamation
 * mark or a quoted "@" in the local part means nothing but itself; a source
 * route is read over and forgotten; so no spelling of a local part can name
 * another domain than the one behind the last "@".
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

enum { ADDRESS_MAX = 254, LOCAL_PART_MAX = 64, DOMAIN_MAX = 255 };

struct address {
    struct str whole;  /* local@domain as written, without source route and
                          without the dot of the DNS root at its end */
    struct str local;  /* as written, quotes included; never empty */
    struct str domain; /* as written; empty: a bare local part */
    bool literal;      /* domain is an address literal, "[192.0.2.1]" */
    bool utf8;         /* holds a byte above 127 */
};

/* Mailbox = Local-part "@" ( Domain / address-literal ), all of text. */
bool address_parse(struct str text, struct address *a);

/* A recipient as an envelope holds it: a mailbox, or postmaster without a
 * domain (RFC 5321 4.5.1). */
bool address_parse_recipient(struct str text, struct address *a);

/* "<" [ A-d-l ":" ] Mailbox ">" or "<>": takes it off the front of *in.
 * A source route is skipped (RFC 5321 4.1.1.3). <postmaster> is allowed where
 * bare is true. The null path gives an empty whole. */
bool address_take_path(struct str *in, bool bare, struct address *a);

/* The local part without quotes and backslashes. */
struct str address_unquote(struct arena *arena, struct str local);

/* The form used as key: local part unquoted, both parts in lower case, an
 * internationalised domain as A-labels, no trailing dot. Empty if the domain
 * cannot be converted. */
struct str address_key(struct arena *arena, const struct address *a);
struct str domain_key(struct arena *arena, struct str domain);

/* A domain name by RFC 5321 4.1.2 (letters, digits, hyphens, U-labels). */
bool domain_valid(struct str domain);
