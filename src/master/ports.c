/* SPDX-License-Identifier: ISC */
#include "master/ports.h"

#include <errno.h>
#include <unistd.h>

#include "os/net.h"

static const struct port *
find_old(const struct ports *old, struct str address, uint32_t slot)
{
    for (size_t i = 0; i < old->n; i++)
        if (old->list[i].slot == slot && str_eq(old->list[i].address, address))
            return &old->list[i];
    return NULL;
}

static bool
keep(struct port *port, const struct port *old, struct err *e)
{
    for (size_t i = 0; i < 2; i++) {
        if (old->fds[i] < 0)
            continue;
        port->fds[i] = dup(old->fds[i]);
        if (port->fds[i] < 0)
            return err_sys(e, "keep the socket of", "a listen address");
    }
    return true;
}

/*
 * Sockets that share a port are open to every process of this user, so a
 * second server would silently take half of the clients: first see that the
 * address is ours alone.
 */
static bool
check_free(struct str address, struct err *e)
{
    int fds[2] = {-1, -1};
    size_t n = net_listen(address, false, fds, 2, e);
    for (size_t i = 0; i < n; i++)
        (void)close(fds[i]);
    return n > 0;
}

static bool
open_one(struct ports *p, const struct conf_listen *l, struct str address,
         uint32_t slot, const struct ports *old, struct err *e)
{
    struct port *port = &p->list[p->n++];
    const struct port *same = find_old(old, address, slot);
    *port = (struct port){
        .name = arena_dup(&p->arena, l->name),
        .address = arena_dup(&p->arena, address),
        .slot = slot,
        .fds = {-1, -1}
    };
    if (same != NULL)
        return keep(port, same, e);
    if (slot == 0 && !check_free(address, e))
        return false;
    return net_listen(address, true, port->fds, 2, e) > 0;
}

static bool
open_all(struct ports *p, const struct conf *c, const struct ports *old,
         struct err *e)
{
    for (size_t i = 0; i < c->n_listens; i++) {
        const struct conf_listen *l = &c->listens[i];
        for (size_t k = 0; k < l->n_addresses; k++)
            for (uint32_t slot = 0; slot < c->receive.workers; slot++)
                if (!open_one(p, l, l->addresses[k], slot, old, e))
                    return false;
    }
    return true;
}

bool
ports_open(struct ports *p, const struct conf *c, const struct ports *old,
           struct err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_listens; i++)
        n += c->listens[i].n_addresses * c->receive.workers;
    *p = (struct ports){0};
    p->list = arena_array(&p->arena, n, sizeof *p->list);
    if (open_all(p, c, old, e))
        return true;
    ports_close(p);
    return false;
}

void
ports_close(struct ports *p)
{
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < 2; k++)
            if (p->list[i].fds[k] >= 0)
                (void)close(p->list[i].fds[k]);
    arena_fini(&p->arena);
    *p = (struct ports){0};
}
