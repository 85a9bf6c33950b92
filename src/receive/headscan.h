/* SPDX-License-Identifier: ISC */
/*
 * Watches the header of a message while it comes in: where it ends, how many
 * servers it passed, whether Message-ID and Date are there. It looks at a
 * buffer that grows; only whole lines are judged.
 *
 *     buf_add(&head, bytes);
 *     if (headscan_look(&h, buf_str(&head))) ...  // h.end, h.fields known
 */
#pragma once

#include "base/str.h"

/* A header above this is read no further; what lies beyond counts as body. */
enum { HEADSCAN_MAX = 128 << 10 };

struct headscan {
    size_t at; /* start of the first line not judged yet */
    bool ended;
    size_t end;   /* octets of the header, without the empty line */
    bool no_gap;  /* a line that is no field ended it, no empty line */
    bool cut_off; /* it was too long to be read to its end */
    bool has_id, has_date;
    uint32_t received;
};

/* text: all that came so far, the same octets and more each time. True once
 * the end is known. */
bool headscan_look(struct headscan *h, struct str text);

/* Nothing more comes: what is there is all, be its last line whole or not. */
void headscan_finish(struct headscan *h, struct str text);
