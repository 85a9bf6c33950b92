/* SPDX-License-Identifier: ISC */
/* The tables that tools/formats.py writes, each sorted by first octet, then the
 * longest first. */
#pragma once

#include "base/str.h"

struct format {
    struct str text; /* in lower case; of recipient: in front of the address */
    struct str rest; /* of recipient: behind it; of header: what it holds */
    struct str agent;
};

extern const struct format formats_sign[], formats_header[],
    formats_recipient[], formats_returned[], formats_aside[], formats_subject[],
    formats_sender[];
extern const size_t formats_n_sign, formats_n_header, formats_n_recipient,
    formats_n_returned, formats_n_aside, formats_n_subject, formats_n_sender;
