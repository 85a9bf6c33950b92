/* SPDX-License-Identifier: ISC */
/*
 * Addresses and networks of hosts as keys: one spelling for each. An IPv4
 * address written inside IPv6 is the IPv4 address.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* An address or network ("192.0.2.0/24", "2001:db8::/32") as key, the host
 * bits cleared; the widest network that is one address is the address. Empty:
 * neither. */
struct str network_key(struct arena *a, struct str text);

/* The keys of an address and of each network that it lies in, the narrowest
 * first; 0: not an address. */
enum { NETWORK_KEYS_MAX = 129 };
size_t network_keys(struct arena *a, struct str ip,
                    struct str keys[NETWORK_KEYS_MAX]);
