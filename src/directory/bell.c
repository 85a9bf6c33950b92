/* SPDX-License-Identifier: ISC */
#include "directory/bell.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/conn.h"
#include "os/net.h"

enum { LINE_MAX_OCTETS = 4096, CLIENTS_MAX = 64 };

struct client {
    struct client *next;
    struct bell *all;
    struct conn *conn; /* NULL: gone, freed when the turn ends */
    struct readers_wait wait;
    bool waiting; /* for the readers: no further line until then */
};

struct bell {
    struct loop *loop;
    struct publisher *publisher;
    int listener;
    struct watch *watch;
    struct client *clients;
    size_t n_clients;
};

static void
end_client(struct client *c)
{
    if (c->waiting)
        publisher_cancel(c->all->publisher, &c->wait);
    c->waiting = false;
    conn_free(c->conn);
    c->conn = NULL;
}

static void
on_in_force(void *ctx)
{
    struct client *c = ctx;
    c->waiting = false;
    conn_write(c->conn, STR("{\"ok\":true}\n"));
    conn_want_input(c->conn, true);
    conn_again(c->conn);
}

static void
refuse(struct client *c, const char *why)
{
    char line[200];
    int n =
        snprintf(line, sizeof line, "{\"ok\":false,\"error\":\"%s\"}\n", why);
    conn_write(c->conn, str_from_n(line, (size_t)n));
}

static void
obey(struct client *c, struct str line)
{
    json_error_t why;
    json_t *request = json_loadb(line.p, line.n, 0, &why);
    const char *verb = json_string_value(json_object_get(request, "verb"));

    if (request == NULL) {
        refuse(c, "not a JSON object on one line");
    } else if (verb == NULL || strcmp(verb, "sync") != 0) {
        refuse(c, "unknown verb, expected sync");
    } else {
        c->waiting = true;
        c->wait = (struct readers_wait){.fn = on_in_force, .ctx = c};
        conn_want_input(c->conn, false);
        publisher_sync(c->all->publisher, &c->wait);
    }
    json_decref(request);
}

/* The next whole line of the input; false: none yet. */
static bool
take_line(struct client *c, struct str *line, size_t *used)
{
    struct str in = conn_input(c->conn);
    ssize_t end = str_find_char(in, '\n');

    if (end < 0)
        return false;
    *line = str_first(in, (size_t)end);
    *used = (size_t)end + 1;
    return true;
}

static void
on_step(void *ctx)
{
    struct client *c = ctx;
    struct str line;
    size_t used;

    if (c->conn == NULL)
        return;
    while (!c->waiting && take_line(c, &line, &used)) {
        obey(c, line);
        conn_consume(c->conn, used);
    }
    if (conn_state(c->conn) != CONN_OPEN ||
        conn_input(c->conn).n > LINE_MAX_OCTETS)
        end_client(c);
}

static void
reap(void *ctx)
{
    struct bell *all = ctx;
    struct client **at = &all->clients;

    while (*at != NULL) {
        struct client *c = *at;
        if (c->conn != NULL) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        all->n_clients--;
        free(c);
    }
}

static void
on_listener(void *ctx, unsigned ready)
{
    struct bell *all = ctx;
    int fd;

    (void)ready;
    while ((fd = net_accept(all->listener, NULL, NULL)) >= 0) {
        if (all->n_clients == CLIENTS_MAX) {
            (void)close(fd);
            continue;
        }
        struct client *c = alloc_zero(sizeof *c);
        c->all = all;
        c->conn = conn_new(all->loop, fd, on_step, c);
        c->next = all->clients;
        all->clients = c;
        all->n_clients++;
    }
}

struct bell *
bell_new(struct loop *l, struct publisher *p, int listener)
{
    struct bell *all = alloc_zero(sizeof *all);

    all->loop = l;
    all->publisher = p;
    all->listener = listener;
    all->watch = watch_new(l, listener, on_listener, all);
    watch_want(all->watch, LOOP_READ);
    loop_at_turn_end(l, reap, all);
    return all;
}

void
bell_free(struct bell *all)
{
    if (all == NULL)
        return;
    for (struct client *c = all->clients; c != NULL; c = c->next)
        if (c->conn != NULL)
            end_client(c);
    reap(all);
    watch_free(all->watch);
    (void)close(all->listener);
    free(all);
}
