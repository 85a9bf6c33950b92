/* SPDX-License-Identifier: ISC */
/* The shelf's struct, shared by the book's side and the lists'. */
#pragma once

#include "base/map.h"
#include "ipc/bookpipe.h"
#include "os/channel.h"
#include "os/constdb.h"
#include "room/shelf.h"

/* A list of the admin's. */
struct shelf_list {
    bool named;          /* the config of this room has it */
    bool asked;          /* it is in a database: directory is asked */
    bool known;          /* directory said what is with it */
    struct constdb *map; /* NULL: it could not be read yet */
};

struct shelf {
    struct loop *loop;
    struct channel *channel; /* NULL: directory is away */
    struct constdb *base;    /* NULL: no snapshot yet */
    struct map changes;      /* key -> struct change, newer than base */
    bool fresh;              /* no snapshot came over this channel yet */
    uint64_t version;        /* in force here */
    uint64_t told;           /* acknowledged */
    loop_fn on_change;
    void *ctx;

    struct shelf_list lists[LIST_COUNT];
    struct channel *lookups;            /* NULL: directory is away */
    struct shelf_question *open, *last; /* oldest first */
    uint64_t seq;
    struct buf frame; /* scratch */
};

/* A frame LIST; fd stays the caller's, -1: there is none that could be read.
 * false: it is no database. */
bool shelf_take_list(struct shelf *s, const struct book_msg *m, int fd);

/* Nobody asks any more. */
void shelf_lists_fini(struct shelf *s);
