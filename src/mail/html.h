/* SPDX-License-Identifier: ISC */
/* What a reader of an HTML page sees, as lines of text. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Appends the text of a page, UTF-8 in and out: tags go, block elements and
 * <br> end a line, entities become characters, script, style and comments are
 * left out; links whose words are not their address keep the words. In <pre>
 * lines stay. Any octets may come; takes time in proportion to the page. */
void html_to_text(struct buf *to, struct str page);

/* The charset that a page names in a <meta> of its beginning, for one that came
 * without: a slice of it. Empty: it names none, or one that cannot be true,
 * since the page is read as ASCII or is UTF-8 already. */
struct str html_charset(struct str page);
