/* SPDX-License-Identifier: ISC */
/* Where in the dialogue, and by whom, something was said, as the words around
 * it tell. */
#pragma once

#include "base/str.h"

/* "RCPT TO", "end of data", …; empty: they do not say. */
struct str where_stage(struct str text);

/* "host mx.example.net [192.0.2.1]", "mx.example.net[192.0.2.1] said:", and
 * qmail's sentences: a name or an address with a dot, of text; or empty. */
struct str where_host(struct str text);
