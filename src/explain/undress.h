/* SPDX-License-Identifier: ISC */
/*
 * Takes off what people and programs wrap around a message when they hand it
 * on: a charset of two octets, quotes in front of each line, Base64 around all
 * of it, a page of HTML, a lost header.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* The octets themselves, or a copy in the arena that is a message or a text.
 * Nothing is undone that may be part of the message itself. */
struct str undress(struct arena *a, struct str octets);

/* The multipart that begins in text, with a header that names its boundary, in
 * the arena; empty: none begins. For messages whose own header does not say. */
struct str undress_boundary(struct arena *a, struct str header,
                            struct str text);

/* What was forwarded in the text of another message, from its header's first
 * line on; empty: nothing. */
struct str undress_forwarded(struct arena *a, struct str text);
