/* SPDX-License-Identifier: ISC */
/*
 * The gate's policy as the config says it, and who a client is by its address.
 * One place, so that `gatepost check` judges by what receive judges by.
 */
#pragma once

#include "conf/conf.h"
#include "gate/gate.h"
#include "os/net.h"

/* Borrows from c. */
struct gate_policy policy_from(struct conf *c);

/* Does a check of it ask the DNS? */
bool policy_needs_dns(const struct gate_policy *p);

/* Is the client in relay.networks? */
bool policy_in_networks(const struct conf *c, const struct net_address *client);
