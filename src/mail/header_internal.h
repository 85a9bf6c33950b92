/* SPDX-License-Identifier: ISC */
/* What the strict reader (header.c) and the tolerant one (mimefield.c) share.
 */
#pragma once

#include "base/str.h"

/* Takes "Name:", or the obsolete "Name :", off the front of a line. false:
 * there is none, *line is as it was. */
bool header_take_name(struct str *line, struct str *name);
