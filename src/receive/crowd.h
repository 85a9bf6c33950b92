/* SPDX-License-Identifier: ISC */
/*
 * How many clients of each network this process has, and how many came within
 * the running minute. A network is what one customer is given: a /24 of IPv4, a
 * /56 of IPv6.
 */
#pragma once

#include "base/str.h"

struct crowd;
struct crowd_network; /* one of its networks */

struct crowd *crowd_new(void);
void crowd_free(struct crowd *c); /* with nobody in it */

/* A client came; NULL: not an address. It is in it until crowd_leave(). */
struct crowd_network *crowd_enter(struct crowd *c, struct str client,
                                  int64_t now_ms);
void crowd_leave(struct crowd *c, struct crowd_network *n, int64_t now_ms);

uint32_t crowd_connections(const struct crowd_network *n);
uint32_t crowd_rate(const struct crowd_network *n); /* at its last entrance */
