/* SPDX-License-Identifier: ISC */
/*
 * A message on its way from the spool's form into a Maildir file: CRLF becomes
 * LF, as everything that reads Maildirs expects (but in the body of a binary
 * message, where it may mean anything); the trace fields of the final
 * delivery come first (RFC 5321 4.4): exactly one Return-Path, then
 * Envelope-to and Delivery-date. What the message brought of these itself goes.
 *
 *     content_begin(&c, &facts, &out);
 *     while (there is more) content_feed(&c, bytes, &out);
 *     content_end(&c, &out);
 *
 * Pure; pieces may be cut anywhere.
 */
#pragma once

#include "base/buf.h"

struct content_facts {
    struct str sender;    /* empty: "<>" */
    struct str recipient; /* address delivered to */
    int64_t now_ms;       /* wall clock */
    bool binary;          /* the body has no lines (RFC 3030): as it came */
};

struct content {
    unsigned char state; /* private to content.c */
    bool binary;
    bool cr;         /* a CR waits for what follows it */
    unsigned char n; /* octets held of a field's name */
    char held[16];
};

void content_begin(struct content *c, const struct content_facts *f,
                   struct buf *out);
void content_feed(struct content *c, struct str bytes, struct buf *out);
void content_end(struct content *c, struct buf *out);
