/* SPDX-License-Identifier: ISC */
/*
 * An mbox as messages, in one pass and in memory that does not grow with the
 * file. It reads nothing: whoever does puts the octets into `in`.
 *
 *     struct mbox m = {0};
 *     struct mbox_message one;
 *     do {
 *         m.ended = !read_more(file, &m.in);
 *         while (mbox_next(&m, &one))
 *             explain(&arena, one.octets, &e);
 *     } while (!m.ended);
 *     mbox_fini(&m);
 *
 * A message begins with a line "From SENDER DATE" at the start of the file or
 * behind an empty line; "From " without a date is text. A ">" before "From "
 * (mboxo, mboxrd) is taken off. Lines end with LF or CRLF.
 */
#pragma once

#include "base/buf.h"

struct mbox {
    struct buf in; /* append here; mbox_next() takes it off the front */
    bool ended;    /* nothing more will come */

    size_t used;     /* of in: messages given already */
    size_t searched; /* of in: no message begins before */
    bool skipping;   /* behind EXPLAIN_LONGEST octets of a message */
    uint64_t n;      /* messages given */
};

struct mbox_message {
    struct str octets; /* without its "From " line; dies at the next call */
    uint64_t number;   /* 1 the first */
    bool only;         /* no other before or behind it */
    bool cut;          /* longer than EXPLAIN_LONGEST: its front */
};

void mbox_fini(struct mbox *m);

/* false: needs more octets, or has ended. */
bool mbox_next(struct mbox *m, struct mbox_message *out);

/* Does a file that begins so hold an mbox? Needs its first line. */
bool mbox_begins(struct str front);
