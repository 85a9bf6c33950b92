/* SPDX-License-Identifier: ISC */
/*
 * One destination (a domain, or the smarthost): the deliveries that wait, the
 * route, and the sessions that carry them away. It opens as many sessions as
 * there is work for, up to the limit, and lets them run dry. It is made by its
 * first delivery and goes with its last session.
 *
 * When nobody can be reached, all that waits gets the same verdict: each
 * message then comes back at its own time, by the queue's schedule.
 */
#pragma once

#include "send/delivery.h"
#include "send/lookup.h"
#include "send/sender.h"

struct session;

/* A route and what sessions learnt about its targets; counted, because a
 * session may outlive the destination's interest in it. */
struct path {
    struct route route;
    size_t users;
    int64_t until_ms; /* mono: then ask again */
    size_t *open;     /* for each target: sessions that are open to it */
};

void path_release(struct path *p);

struct destination {
    struct sender *sender;
    struct str name; /* behind the struct */
    struct delivery *first, *last;
    size_t n_waiting;
    struct session *sessions; /* all */
    size_t n_sessions, n_opening;
    struct session *idle; /* those of them that wait for work */
    struct path *path;    /* NULL: not known yet */
    struct path *asked;   /* being looked up */
    struct lookup *lookup;
    int64_t open_after_ms; /* mono: it wants no more sessions until then */
};

struct destination *destination_find(struct sender *s, struct str name);

void destination_add(struct destination *d, struct delivery *x);
/* Before all others. */
void destination_put_back(struct destination *d, struct delivery *x);
/* The next that waits, or NULL. */
struct delivery *destination_take(struct destination *d);

/* Gives work to idle sessions, opens new ones, frees a destination that has
 * neither work nor sessions: d may be gone afterwards. */
void destination_pump(struct destination *d);

/* Every waiting delivery gets this verdict. */
void destination_give_up(struct destination *d, const struct verdict *v);

/* The server ends: what waits goes back untried, idle sessions say goodbye. */
void destination_drain(struct destination *d);
