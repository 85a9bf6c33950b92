/* SPDX-License-Identifier: ISC */
/*
 * What one receive process holds, shared by the files of this room: its ways
 * to directory and queue, its listeners and its sessions.
 */
#pragma once

#include "book/book.h"
#include "gate/gate.h"
#include "os/tls.h"
#include "proto/smtp/server.h"
#include "receive/login.h"
#include "receive/sasl.h"
#include "room/domain.h"
#include "room/door.h"
#include "room/room.h"
#include "room/shelf.h"

struct crowd;
struct listener;
struct session;

struct worker {
    struct room *room;
    struct arena arena; /* of the process */
    struct shelf *shelf;
    struct book book;
    struct door *door;
    struct dns *dns; /* NULL: the gate asks it nothing */
    struct login_desk *desk;
    struct sasl_context *sasl;
    struct ledger *ledger;       /* what accounts have sent; NULL: not yet */
    struct str certificate, key; /* PEM, until the context is made */
    struct tls_context *tls;     /* NULL: no certificate */

    struct smtp_server_options network, local; /* by the kind of listener */
    struct gate_policy policy;
    struct rules *rules; /* for content; NULL: none */

    struct crowd *crowd;
    struct listener *listeners;
    struct session *sessions;
    uint32_t n_sessions;
    uint64_t names;       /* session and incident ids given out */
    uint32_t asked_ahead; /* questions under way; receive/ahead.h */

    /* Scratch of one decision. */
    struct arena scratch;
    struct buf reply;
    struct { /* of a refusal, until it is noted */
        const struct gate_check *check;
        uint32_t line;
        bool has_sender;
        struct buf report;
    } note;

    bool book_changed;   /* in this turn */
    bool go;             /* master gave all that we start with */
    bool accepting;      /* listeners are open for clients */
    bool draining;       /* no new clients */
    bool hurry;          /* sessions end as soon as they owe nothing */
    struct timer *limit; /* of draining */
};

/* A fresh name for a session or an incident. */
struct str worker_name(struct worker *w, char out[INCIDENT_TEXT]);

/* Something changed that accepting or finishing may wait for. */
void worker_check(struct worker *w);
