/* SPDX-License-Identifier: ISC */
/*
 * The lists beside the book: what an admin keeps in a file or a database, by
 * the names that mail admins know. gate/ says which keys it wants to know of
 * and in which order, directory keeps the lists, room/shelf.h looks into those
 * that are mapped and asks for the others.
 *
 * Keys are in the form of address_key() and domain_key(): lower case, A-labels.
 * In a list of addresses "@example.com" stands for the whole domain and
 * ".example.com" for all below it. A client's key is its address as text, or a
 * network such as "192.0.2.0/24" (book/network.h).
 *
 * A line of a list file is one entry and, if you like, blanks and a remark:
 *
 *     # a comment
 *     bob@example.com
 *     @example.net         mails us junk since May
 *     .example.org         # each name below it, not itself
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* Each one is a key of the config's section `gate`. */
enum list_id {
    LIST_CLIENTS_REFUSED = 0, /* addresses and networks of clients */
    LIST_BADMAILFROM, /* senders: ann@b.example, @b.example, .b.example */
    LIST_SENDER_DENY, /* the same form, other words */
    LIST_RCPTHOSTS,   /* domains we take mail for; .b.example: below */
    LIST_VALIDRCPTTO, /* addresses that exist; @b.example: any there */
    LIST_COUNT
};

enum list_found {
    LIST_NO = 0,
    LIST_YES,
    LIST_TROUBLE, /* cannot be looked up now: 4xx */
    LIST_ASK,     /* not mapped here: shelf_list_ask() */
};

struct str list_name(enum list_id list); /* "badmailfrom" */
/* LIST_COUNT: none has that name. */
enum list_id list_from_name(struct str name);

/* "an address, @domain or .domain": what its entries look like. */
struct str list_expects(enum list_id list);

enum list_line {
    LIST_LINE_EMPTY = 0, /* blank, or a comment */
    LIST_LINE_ENTRY,
    LIST_LINE_BAD,
};

enum { LIST_LINE_MAX = 4096 }; /* octets */

struct list_entry {
    struct str key;    /* in the arena */
    struct str remark; /* of the line; may be empty */
};

/* One line, with or without its line end. BAD: *expected says what. */
enum list_line list_parse_line(enum list_id list, struct str line,
                               struct arena *a, struct list_entry *entry,
                               struct str *expected);
