/* SPDX-License-Identifier: ISC */
/*
 * The listening TCP sockets: one per address and receive process, sharing the
 * port, kept open while processes come and go, so that no client is turned
 * away in between.
 */
#pragma once

#include "base/err.h"
#include "conf/conf.h"

struct port {
    struct str name;    /* of the `listen` section */
    struct str address; /* as in the config */
    uint32_t slot;      /* for which receive process */
    int fds[2];         /* IPv4 and IPv6; -1 */
};

struct ports {
    struct arena arena;
    struct port *list;
    size_t n;
};

/*
 * Opens all that the config asks for. An address that `old` has keeps its
 * sockets (both sets then hold them). false: nothing is open, *e names the
 * address.
 */
bool ports_open(struct ports *p, const struct conf *c, const struct ports *old,
                struct err *e);
void ports_close(struct ports *p);
