/* SPDX-License-Identifier: ISC */
/*
 * The structure of a message (RFC 2045, 2046), walked where it lies: parts are
 * slices of it, nothing is copied or decoded. Lines end with LF or CRLF; any
 * octets may come, and what is broken still gives parts: a boundary that never
 * comes again ends with the message, a type that cannot be read is text/plain,
 * a boundary that the header names wrongly or not at all is looked for, and so
 * is that of a message whose header is lost. A multipart in which none can be
 * found is a leaf, text/plain.
 *
 *     struct mime_walk w;
 *     struct mime_part p;
 *     mime_begin(&w, message);
 *     while (mime_next(&w, &p))
 *         if (p.leaf && str_eq_nocase(p.type, STR("text"))) ...
 *
 * Parts come in the order of the message, a container before what it holds.
 * message/rfc822 and message/global are containers of one message; one that is
 * transfer encoded (RFC 2046 forbids it) is a leaf: decode and walk it anew.
 */
#pragma once

#include "base/str.h"
#include "mail/header.h"

enum {
    MIME_DEEPEST = 16,   /* containers in each other; deeper ones are leaves */
    MIME_PARTS = 10000,  /* of a message; the rest is not walked */
    MIME_BOUNDARY = 200, /* octets of one; 70 by RFC 2046, 5.1.1 */
};

enum mime_encoding {
    MIME_IDENTITY = 0, /* 7bit, 8bit, binary, or unknown */
    MIME_QUOTED_PRINTABLE,
    MIME_BASE64,
    MIME_UUENCODE, /* x-uuencode, x-uue */
};

/* Slices of the message; empty where the header does not say. */
struct mime_part {
    struct str header;        /* its fields; of the first part: the message's */
    struct str body;          /* as sent, without the line end before the
                                 boundary */
    struct str type, subtype; /* "text", "plain" (RFC 2045, 5.2) unless said */
    struct str params;        /* of Content-Type, for mime_param() */
    enum mime_encoding encoding;
    unsigned depth; /* 0: the message itself */
    bool leaf;      /* nothing in it is walked */
};

/* Not to be copied while it walks. */
struct mime_walk {
    struct mime_open {       /* the walker's own: containers, innermost last */
        struct str rest;     /* not walked yet */
        struct str boundary; /* empty: of one message */
        bool digest, done;
    } open[MIME_DEEPEST];
    char joined[MIME_DEEPEST][MIME_BOUNDARY]; /* those said in pieces */
    unsigned n_open, n_parts;
    struct str first;    /* the message */
    bool begun, entered; /* the last part opened a container */
    bool cut;            /* a limit was reached */
};

void mime_begin(struct mime_walk *w, struct str message);
/* Goes on inside a leaf that would have been a container but for its transfer
 * encoding, with its decoded body: the message has depth 0, parts depth 1. */
void mime_begin_decoded(struct mime_walk *w, const struct mime_part *p,
                        struct str body);
bool mime_next(struct mime_walk *w, struct mime_part *p);
/* Leaves out all that is in the container that came last. */
void mime_skip(struct mime_walk *w);

/* The next field off the front of *rest, as header_next() but for messages
 * that went through many hands: lines may end with LF alone, a line that is no
 * field belongs to the one before (a fold whose blank got lost), "From " and
 * ">From " lines are stepped over. false: none; *rest is the body, the empty
 * line before it taken off. */
bool mime_next_field(struct str *rest, struct field *f);
/* As mime_next_field(), but steps over fields whose names do not begin with
 * this letter, lower case; '\0': over all of them. */
bool mime_next_field_of(struct str *rest, char letter, struct field *f);
bool mime_find(struct str header, struct str name, struct str *value);

/* A parameter of Content-Type or Content-Disposition ("; charset=x"), quotes
 * off; of one in pieces (RFC 2231) the first. */
bool mime_param(struct str params, struct str name, struct str *value);
/* Appends one for people, as UTF-8: pieces joined, "%41" and encoded words
 * decoded. */
bool mime_param_add(struct buf *to, struct str params, struct str name);

/* Appends a body out of its transfer encoding, at most `longest` octets; octets
 * that do not belong are stepped over. */
void mime_decode(struct buf *to, enum mime_encoding e, struct str body,
                 size_t longest);
