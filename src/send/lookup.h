/* SPDX-License-Identifier: ISC */
/* Asks the DNS what a route needs to know (send/route.h). */
#pragma once

#include "os/dns.h"
#include "os/loop.h"
#include "send/route.h"

struct lookup;

/* fn is called from the loop when the route is KNOWN; the lookup is gone then.
 * NULL: nothing has to be asked, it is known now and fn is not called. route
 * and self must stay. */
struct lookup *lookup_start(struct dns *d, struct route *route,
                            const struct route_self *self, loop_fn fn,
                            void *ctx);
void lookup_cancel(struct lookup *l);
