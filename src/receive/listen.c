/* SPDX-License-Identifier: ISC */
#include "receive/listen.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/log.h"
#include "os/net.h"
#include "receive/session.h"

/* Clients taken per readiness; the rest makes the next turn's. */
enum { ACCEPT_MAX = 64 };

static const struct conf_listen *
find_section(const struct conf *c, struct str name)
{
    for (size_t i = 0; i < c->n_listens; i++)
        if (str_eq(c->listens[i].name, name))
            return &c->listens[i];
    return NULL;
}

void
listen_add(struct worker *w, struct str name, int fd)
{
    const struct conf_listen *conf = find_section(w->room->conf, name);
    if (conf == NULL && !str_eq(name, STR("submit"))) {
        log_event(LOG_ERROR, "listener-unknown", LOG_S("name", name), LOG_END);
        (void)close(fd);
        return;
    }
    struct listener *l = alloc_zero(sizeof *l);
    l->worker = w;
    l->fd = fd;
    l->conf = conf;
    l->next = w->listeners;
    w->listeners = l;
    if (w->accepting)
        listen_start(w);
}

static void
on_ready(void *ctx, unsigned ready)
{
    struct listener *l = ctx;
    (void)ready;
    for (int i = 0; i < ACCEPT_MAX && l->worker->accepting; i++) {
        struct net_address peer = {.n = 0};
        int fd = net_accept(l->fd, &peer, NULL);
        if (fd < 0)
            return;
        session_admit(l, fd, &peer);
    }
}

void
listen_start(struct worker *w)
{
    for (struct listener *l = w->listeners; l != NULL; l = l->next) {
        if (l->watch != NULL)
            continue;
        l->watch = watch_new(w->room->loop, l->fd, on_ready, l);
        watch_want(l->watch, LOOP_READ);
    }
}

void
listen_stop(struct worker *w)
{
    for (struct listener *l = w->listeners; l != NULL; l = l->next) {
        if (l->watch != NULL)
            watch_free(l->watch);
        if (l->fd >= 0)
            (void)close(l->fd);
        l->watch = NULL;
        l->fd = -1; // sessions still point at us
    }
}
