/* SPDX-License-Identifier: ISC */
/*
 * A first look at the text of a config file, before libConfuse sees it. It
 * blanks comments (so that they may stand anywhere and lines count right) and
 * finds what libConfuse would accept in silence: a string that runs over the
 * end of its line, octets it would skip, a section without its closing brace,
 * ${...} taken from the environment.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct scan_problem {
    uint32_t line;
    const char *what; /* NULL: the text is clean */
};

/* The text without comments, line by line as before, a newline at the end. */
struct scan_problem scan_clean(struct str text, struct buf *to);
