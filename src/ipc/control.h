/* SPDX-License-Identifier: ISC */
/*
 * The pipe between master and each room: what to hold, when to go.
 *
 * A room starts with two descriptors, 3 (this pipe) and 4 (its slice of the
 * config, a sealed memfd). Everything else is given over this pipe, at the
 * start before GO and later when a peer was restarted.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum role {
    ROLE_NONE = 0,
    ROLE_RECEIVE,
    ROLE_DIRECTORY,
    ROLE_QUEUE,
    ROLE_SEND,
    ROLE_MAILBOX,
    ROLE_NOTIFY,
    ROLE_JOURNAL,
    ROLE_COUNT
};

/* "receive", …; NULL for none. */
const char *role_name(enum role role);
enum role role_from_name(struct str name);

/* The pipes between rooms; each has its codec in ipc/. */
enum pipe {
    PIPE_NONE = 0,
    PIPE_BOOK,   /* directory -> receive, queue: who exists (ipc/bookpipe.h) */
    PIPE_LOGIN,  /* receive <-> directory: passwords */
    PIPE_DOOR,   /* receive, notify <-> queue: segments and watermarks */
    PIPE_JOB,    /* queue <-> send, mailbox: what to deliver */
    PIPE_NOTICE, /* queue <-> notify: what to write */
    PIPE_VACATION, /* notify <-> directory: who is away */
    PIPE_LOOKUP,   /* receive <-> directory: lists in databases */
    PIPE_JOURNAL,  /* receive, directory, queue, notify -> journal */
    PIPE_COUNT
};

enum control_type {
    CONTROL_NONE = 0,
    /* master -> room */
    CONTROL_PEER,   /* + fd: your end of a pipe to (role, slot, incarnation) */
    CONTROL_LISTEN, /* + fd: a listening socket; name: which `listen` section,
                       "submit" (the sendmail socket), "control" */
    CONTROL_FILE,   /* + fd: a sealed memfd; name: "tls-certificate", … */
    CONTROL_GO,     /* all that you start with was given */
    CONTROL_CONFIG, /* + fd: a new slice (rooms that reload in place) */
    CONTROL_REAPED, /* (role, slot, incarnation) is dead and waited for */
    CONTROL_DRAIN,  /* finish what you have, take no more, then exit */
    CONTROL_STOP,   /* as DRAIN, within seconds: the server ends */
    /* room -> master */
    CONTROL_READY, /* in service */
    CONTROL_RELOADED,
};

struct control_msg {
    enum control_type type;
    enum pipe pipe;       /* PEER */
    enum role role;       /* PEER, REAPED */
    uint32_t slot;        /* PEER, REAPED; which of the role's processes */
    uint64_t incarnation; /* PEER, REAPED: unique for each process start */
    struct str name;      /* LISTEN, FILE */
};

void control_encode(struct buf *to, const struct control_msg *m);
bool control_decode(struct str frame, struct control_msg *m);
