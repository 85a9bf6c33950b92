/* SPDX-License-Identifier: ISC */
/* A bare SMTP client for `gatepost check self`: says a line, reads the reply,
 * blocking with a time limit. No TLS. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "os/net.h"

struct probe {
    int fd;
    struct buf in;    /* came and not read */
    struct buf reply; /* all lines of the last one */
};

/* Connects and reads the greeting. */
bool probe_open(struct probe *p, const struct net_address *to, struct err *e);
void probe_close(struct probe *p);

/* The code of the reply; 0: the server is gone, *e says why. */
unsigned probe_say(struct probe *p, const char *line, struct err *e);
