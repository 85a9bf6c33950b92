/* SPDX-License-Identifier: ISC */
#include "room/hatch.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/net.h"

enum { LINE_OCTETS_MAX = 4096, CLIENTS_MAX = 64 };

struct hatch {
    struct loop *loop;
    const struct hatch_calls *calls;
    void *room;
    int listener; /* -1: none yet */
    struct watch *watch;
    struct hatch_client *clients;
    size_t n_clients;
};

static void
end_client(struct hatch_client *c)
{
    c->hatch->calls->gone(c);
    conn_free(c->conn);
    c->conn = NULL;
}

/* The next whole line of the input; false: none yet. */
static bool
take_line(struct hatch_client *c)
{
    struct str in = conn_input(c->conn);
    ssize_t end = str_find_char(in, '\n');

    if (end < 0)
        return false;
    c->hatch->calls->line(c, str_first(in, (size_t)end));
    conn_consume(c->conn, (size_t)end + 1);
    return true;
}

static void
on_step(void *ctx)
{
    struct hatch_client *c = ctx;
    const struct hatch_calls *calls = c->hatch->calls;

    if (c->conn == NULL)
        return;
    do {
        if (c->busy && calls->more != NULL)
            calls->more(c);
    } while (!c->busy && take_line(c));
    if (conn_state(c->conn) == CONN_FAILED ||
        (!c->busy && (conn_state(c->conn) == CONN_EOF ||
                      conn_input(c->conn).n > LINE_OCTETS_MAX)))
        end_client(c);
}

static void
reap(void *ctx)
{
    struct hatch *h = ctx;
    struct hatch_client **at = &h->clients;

    while (*at != NULL) {
        struct hatch_client *c = *at;
        if (c->conn != NULL) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        h->n_clients--;
        free(c);
    }
}

static void
on_listener(void *ctx, unsigned ready)
{
    struct hatch *h = ctx;
    int fd;

    (void)ready;
    while ((fd = net_accept(h->listener, NULL, NULL)) >= 0) {
        if (h->n_clients == CLIENTS_MAX) {
            (void)close(fd);
            continue;
        }
        struct hatch_client *c = alloc_zero(h->calls->size);
        c->hatch = h;
        c->room = h->room;
        c->conn = conn_new(h->loop, fd, on_step, c);
        c->next = h->clients;
        h->clients = c;
        h->n_clients++;
    }
}

struct hatch *
hatch_new(struct loop *l, const struct hatch_calls *calls, void *room)
{
    struct hatch *h = alloc_zero(sizeof *h);

    h->loop = l;
    h->calls = calls;
    h->room = room;
    h->listener = -1;
    loop_at_turn_end(l, reap, h);
    return h;
}

static void
close_listener(struct hatch *h)
{
    watch_free(h->watch);
    if (h->listener >= 0)
        (void)close(h->listener);
}

void
hatch_listen(struct hatch *h, int listener)
{
    close_listener(h);
    h->listener = listener;
    h->watch = watch_new(h->loop, listener, on_listener, h);
    watch_want(h->watch, LOOP_READ);
}

void
hatch_free(struct hatch *h)
{
    for (struct hatch_client *c = h->clients; c != NULL; c = c->next)
        if (c->conn != NULL)
            end_client(c);
    reap(h);
    close_listener(h);
    free(h);
}
