/* SPDX-License-Identifier: ISC */
/*
 * UTF-8 text on a terminal of fixed columns: how wide it is, and where a line
 * of it may end. Chinese, Japanese and Korean characters take two columns and
 * may be parted nearly everywhere; marks above and below, as in Thai, take
 * none. Texts without blanks that need a dictionary (Thai) are parted at the
 * blanks between their phrases.
 *
 *     while (text.n > 0) {
 *         struct str line = columns_take(&text, 74);
 *         printf("  %.*s\n", STR_ARG(line)); // names its argument twice
 *     }
 */
#pragma once

#include "base/str.h"

/* An octet that is no part of a character counts as one column. */
size_t columns_width(struct str s);

/* The next line of *text, without blanks around it, at most `width` columns if
 * there is a place to part it; a longer word stays whole, a longer text of
 * wide characters does not. *text is what remains. */
struct str columns_take(struct str *text, size_t width);
