/* SPDX-License-Identifier: ISC */
#include "directory/bell.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "room/hatch.h"

struct client {
    struct hatch_client hatch; /* first; busy: waits for the readers */
    struct readers_wait wait;
};

struct bell {
    struct publisher *publisher;
    struct hatch *hatch;
};

static void
forget(struct hatch_client *h)
{
    struct client *c = (struct client *)h;
    struct bell *all = h->room;

    if (h->busy)
        publisher_cancel(all->publisher, &c->wait);
}

static void
on_in_force(void *ctx)
{
    struct hatch_client *h = ctx;

    h->busy = false;
    conn_write(h->conn, STR("{\"ok\":true}\n"));
    conn_want_input(h->conn, true);
    conn_again(h->conn);
}

static void
refuse(struct hatch_client *h, const char *why)
{
    char line[200];
    int n =
        snprintf(line, sizeof line, "{\"ok\":false,\"error\":\"%s\"}\n", why);
    conn_write(h->conn, str_from_n(line, (size_t)n));
}

static void
obey(struct hatch_client *h, struct str line)
{
    struct client *c = (struct client *)h;
    struct bell *all = h->room;
    json_error_t why;
    json_t *request = json_loadb(line.p, line.n, 0, &why);
    const char *verb = json_string_value(json_object_get(request, "verb"));

    if (request == NULL) {
        refuse(h, "not a JSON object on one line");
    } else if (verb == NULL || strcmp(verb, "sync") != 0) {
        refuse(h, "unknown verb, expected sync");
    } else {
        h->busy = true;
        c->wait = (struct readers_wait){.fn = on_in_force, .ctx = h};
        conn_want_input(h->conn, false);
        publisher_sync(all->publisher, &c->wait);
    }
    json_decref(request);
}

static const struct hatch_calls calls = {
    .size = sizeof(struct client), .line = obey, .gone = forget};

struct bell *
bell_new(struct loop *l, struct publisher *p, int listener)
{
    struct bell *all = alloc_zero(sizeof *all);

    all->publisher = p;
    all->hatch = hatch_new(l, &calls, all);
    hatch_listen(all->hatch, listener);
    return all;
}

void
bell_free(struct bell *all)
{
    if (all == NULL)
        return;
    hatch_free(all->hatch);
    free(all);
}
