/* SPDX-License-Identifier: ISC */
/* What house.c (lives) and wiring.c (what they are given) share. */
#pragma once

#include "master/house.h"
#include "os/channel.h"
#include "room/crowd.h"

struct slot;

enum child_state {
    CHILD_STARTING = 0,
    CHILD_READY,
    CHILD_DRAINING, /* told to finish: another has its place */
    CHILD_STOPPING, /* told to end */
};

struct child {
    struct house *house;
    struct slot *slot;
    int64_t pid;
    uint64_t incarnation;
    enum child_state state;
    struct channel *control;
    struct timer *deadline; /* to hurry, then to be killed */
    int64_t started_ms;
    bool connected; /* its peers know it */
    bool fresh;     /* not told to GO yet */
    bool reloading; /* CONFIG sent, no RELOADED yet */
    struct child *next;
};

struct slot {
    struct house *house;
    enum role role;
    uint32_t number;
    bool wanted;           /* the plan has it */
    struct child *current; /* the incarnation that serves; NULL: none */
    struct timer *restart;
    int64_t backoff_ms;
    struct slot *next;
};

struct house {
    struct house_base base;
    struct house_plan plan;
    struct slot *slots;
    struct child *children; /* all that live, old ones too */
    uint64_t last_incarnation;
    struct crowd *crowd; /* NULL: could not be made, each counts alone */
    bool settled;
    unsigned stop_phase; /* 0: not stopping */
    struct timer *stop_deadline;
};

/* Listening sockets and papers. */
void wiring_equip(struct child *c);
/* A pipe to every connected incarnation that it has something to say to. */
void wiring_connect(struct child *c);
void wiring_say(struct child *c, enum control_type type);
/* The peers of one that is dead and waited for learn it. */
void wiring_tell_reaped(struct child *dead);
