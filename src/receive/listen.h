/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets: each belongs to a `listen` section of the config, or is
 * the submit socket for programs on this machine. Clients are taken only while
 * the worker is accepting; before that they wait in the kernel.
 */
#pragma once

#include "base/str.h"
#include "receive/worker.h"

struct listener {
    struct listener *next;
    struct worker *worker;
    int fd;
    struct watch *watch;
    const struct conf_listen *conf; /* NULL: the submit socket */
};

/* Takes ownership of fd. */
void listen_add(struct worker *w, struct str name, int fd);
void listen_start(struct worker *w);
/* No more clients: the sockets are closed. */
void listen_stop(struct worker *w);
