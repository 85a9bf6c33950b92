/* SPDX-License-Identifier: ISC */
/*
 * A hatch: the control socket of a room, where the command line asks. A request
 * is a line; what it means and what is said to it is the room's, who comes and
 * goes is seen to here. While a client is busy its next line waits.
 *
 *     struct client {
 *         struct hatch_client hatch; // first
 *         ...
 *     };
 *     static const struct hatch_calls calls = {
 *         .size = sizeof(struct client), .line = on_line, .gone = on_gone};
 *     hatch = hatch_new(loop, &calls, room);
 *     hatch_listen(hatch, fd);
 */
#pragma once

#include "os/conn.h"

struct hatch;

struct hatch_client {
    struct hatch_client *next; /* these two are the hatch's */
    struct hatch *hatch;
    void *room;        /* as given to hatch_new() */
    struct conn *conn; /* NULL: gone, freed when the turn ends */
    bool busy;         /* set and cleared by the room: the answer goes on */
};

struct hatch_calls {
    size_t size; /* of a client, zeroed when it comes */
    void (*line)(struct hatch_client *c, struct str line);
    /* NULL, or: it is busy, and there is room for more of the answer. */
    void (*more)(struct hatch_client *c);
    void (*gone)(struct hatch_client *c); /* its connection is closed next */
};

struct hatch *hatch_new(struct loop *l, const struct hatch_calls *calls,
                        void *room);
/* Takes the listening socket; it replaces an earlier one. */
void hatch_listen(struct hatch *h, int listener);
void hatch_free(struct hatch *h); /* after loop_run() has returned */
