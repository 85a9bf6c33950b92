/* SPDX-License-Identifier: ISC */
/* A bare SMTP client for `gatepost check self`: says a line, reads the reply,
 * blocking with a time limit; in clear or under TLS. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "os/net.h"
#include "os/tls.h"

struct probe {
    int fd;
    struct tls *tls;  /* NULL: in clear */
    struct buf in;    /* came and not read */
    struct buf reply; /* all lines of the last one */
};

/* Connects, under TLS from the start unless that is NULL, and reads the
 * greeting. */
bool probe_open(struct probe *p, const struct net_address *to,
                struct tls_context *tls, struct err *e);
/* After the reply to STARTTLS; what came in clear behind it is dropped. */
bool probe_start_tls(struct probe *p, struct tls_context *tls, struct err *e);
void probe_close(struct probe *p);

/* line: without its CRLF; more than one leave in one packet. The code of the
 * first reply; 0: the server is gone, *e says why. */
unsigned probe_say(struct probe *p, const char *line, struct err *e);
