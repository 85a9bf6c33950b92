/* SPDX-License-Identifier: ISC */
/*
 * How notices look: the data of share/catalogue/formats, asked about one line
 * at a time. Lines are compared without regard to case and to what is no letter
 * or digit at their front.
 */
#pragma once

#include "base/str.h"

/* Does it open a notice of a known program? agent: whose ("words": of no one
 * program). */
bool formats_is_sign(struct str line, struct str *agent);

/* Is it the line in front of the message that came back? */
bool formats_is_returned(struct str line);

/* Does a paragraph begin that says nothing of the failure? */
bool formats_is_aside(struct str line);

/* An address that the words around it name as the recipient. */
bool formats_names_recipient(struct str before, struct str after);

/* Does a subject, or the author of a message, speak of a failed delivery? */
bool formats_is_subject(struct str subject);
bool formats_is_sender(struct str from);

/* Whose notice has such a field? */
bool formats_is_header(struct str name, struct str value, struct str *agent);
