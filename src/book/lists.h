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
 * network such as "192.0.2.0/24".
 */
#pragma once

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
