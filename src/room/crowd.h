/* SPDX-License-Identifier: ISC */
/*
 * How many clients of each network this server has, and how many came within
 * the running minute, counted across all receive processes. A network is what
 * one customer is given: a /24 of IPv4, a /56 of IPv6.
 *
 * The counts are in memory that master makes and every receive has mapped. Each
 * process counts in a seat of its own, which nobody else writes to, and reads
 * the others'; master clears the seat of one that has ended, however it did.
 * Who owns a receive process can forge the counts, and so let anybody in or
 * nobody: as it can by accepting or by dying.
 *
 *     master:   c = crowd_make(seed, &e); ... hands out crowd_fd(c) ...
 *               crowd_clear(c, incarnation);          // it has ended
 *     receive:  c = crowd_new(); crowd_join(c, fd, incarnation);
 *               n = crowd_enter(c, client, now_ms);
 *               ... crowd_connections(c, n), crowd_rate(c, n, now_ms) ...
 *               crowd_leave(n);
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct crowd;
struct crowd_network; /* one of its networks, as this process has seen it */

/* seed: random, so that strangers cannot choose where they are counted. */
struct crowd *crowd_make(uint64_t seed, struct err *e);
int crowd_fd(const struct crowd *c);
void crowd_clear(struct crowd *c, uint64_t incarnation);

/* One that counts for itself alone, until it joins. */
struct crowd *crowd_new(void);
/* Before anybody enters. Closes fd. false: that is no crowd, or all its seats
 * are taken; it goes on alone. */
bool crowd_join(struct crowd *c, int fd, uint64_t incarnation);
void crowd_free(struct crowd *c);

/* A client came; NULL: not an address, or more networks than can be counted. It
 * is in it until crowd_leave(). */
struct crowd_network *crowd_enter(struct crowd *c, struct str client,
                                  int64_t now_ms);
void crowd_leave(struct crowd_network *n); /* NULL: nothing */

uint32_t crowd_connections(const struct crowd *c,
                           const struct crowd_network *n);
uint32_t crowd_rate(const struct crowd *c, const struct crowd_network *n,
                    int64_t now_ms);
