/* SPDX-License-Identifier: ISC */
/*
 * An answer of the DNS as it came over the wire (RFC 1035 4.1): the records of
 * one type out of its answer section. No I/O; every octet is foreign.
 */
#pragma once

#include "base/arena.h"
#include "os/dns.h"

enum {
    DNS_HEADER = 12,
    DNS_RECORDS_MAX = 100, /* those beyond are not looked at */
};

/* Records whose host is no host name are left out. Slices live in the arena.
 * A packet that cannot be read is TROUBLE. */
struct dns_answer dns_packet_read(struct arena *a, struct str packet,
                                  enum dns_type type);
