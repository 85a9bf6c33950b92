/* SPDX-License-Identifier: ISC */
/*
 * What the parts of send share, owned by main.c.
 *
 * Work comes from the queue (room/jobs.h) and becomes a delivery, which waits
 * at its destination until one of that destination's sessions takes it:
 *
 *     jobs -> delivery -> destination -> session -> delivery -> jobs
 *                         (route, lookup)
 */
#pragma once

#include "base/map.h"
#include "os/dns.h"
#include "os/tls.h"
#include "room/jobs.h"
#include "send/route.h"

struct sender {
    struct room *room;
    struct jobs *jobs;
    struct dns *dns;
    struct tls_context *tls_any;     /* whatever certificate */
    struct tls_context *tls_checked; /* the smarthost's; NULL: unusable */
    struct arena arena;
    struct str password, anchors;
    struct route_self self;
    struct map destinations;
    uint64_t random;
};
