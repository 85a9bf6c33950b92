/* SPDX-License-Identifier: ISC */
/*
 * One client: its connection, the SMTP machine, the transaction. Everything
 * that happens to it ends in session_step(). What the machine asks is decided
 * in decide.c; what must be waited for (a login, the spool) parks the session,
 * which is then not read from, and the answer makes it step again.
 */
#pragma once

#include "os/conn.h"
#include "os/net.h"
#include "receive/intake.h"
#include "receive/rcpts.h"
#include "receive/listen.h"
#include "receive/worker.h"
#include "room/ledger.h"

enum session_wait {
    WAIT_NOTHING = 0,
    WAIT_GREETING, /* the client, for ours: until resume_ms */
    WAIT_LOGIN,    /* for directory */
    WAIT_FACTS,    /* for what the gate asked: lists, the DNS */
    WAIT_STORED,   /* for the spool's sync */
    WAIT_ROOM,     /* for the spool to take more content */
    WAIT_PACE,     /* the queue asks for less: until resume_ms */
};

struct session {
    struct worker *worker;
    struct session *next, *prev;
    const struct listener *at;
    struct conn *conn; /* NULL: gone, only the spool's answer is missing */
    struct smtp_server smtp;

    char id[INCIDENT_TEXT];
    char client[NET_TEXT]; /* "" for a local program */
    int64_t uid;           /* of a local program; -1: unknown */
    struct gate_session who;
    struct crowd_network *network; /* NULL: not counted */
    bool unjudged;                 /* the connect stage waits for HELO */
    struct buf helo, user;         /* who.user borrows from user */

    struct arena arena; /* of the transaction */
    struct envelope envelope;
    struct rcpts rcpts; /* of the envelope */
    struct intake intake;

    struct sasl *sasl; /* an AUTH exchange under way */
    struct login_question *question;
    struct parked *parked; /* WAIT_FACTS; receive/facts.h */
    struct ahead *ahead;   /* of commands still in the input; receive/ahead.h */

    struct ledger_want taken; /* of its account's allowance, not yet spent */
    struct {                  /* the latest incident; receive/note.h */
        struct str reason;
        char incident[INCIDENT_TEXT];
        uint32_t n; /* of this reason in a row */
    } again;

    enum session_wait wait;
    bool answered; /* the spool has: stored, stored_id */
    enum spool_result stored;
    struct msgid stored_id;
    uint64_t stored_size;

    struct timer *timer;
    int64_t timer_ms;  /* what it is set to */
    int64_t heard_ms;  /* the client's last progress, mono */
    int64_t resume_ms; /* WAIT_PACE, WAIT_GREETING */
    bool lingering;    /* all is said, waits for the client to hang up */
};

/* Takes over a client; fd is the session's. */
void session_admit(struct listener *l, int fd, const struct net_address *peer);

void session_step(struct session *s);

/* The server has to go: a session that owes nothing is told and ends, others
 * do so as soon as they can. */
void session_dismiss(struct session *s);
/* Whatever it is doing: hang up. */
void session_end(struct session *s);

/* The spool takes content again. */
void session_resume(struct session *s);

/* The trace and log name of the transaction's protocol. */
struct str session_protocol(const struct session *s);
