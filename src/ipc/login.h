/* SPDX-License-Identifier: ISC */
/*
 * receive <-> directory: who may come in?
 *
 * A password (PLAIN, LOGIN) is one ASK and one ANSWER. For SCRAM receive only
 * passes on what the client says, since no hash leaves directory: START, then
 * CHALLENGE and RESPONSE by turns, and an ANSWER at last. FORGET ends an
 * exchange that receive has given up.
 *
 * LEDGER comes once, first: the shared counts of what accounts have sent.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum login_type {
    LOGIN_NONE = 0,
    LOGIN_ASK,
    LOGIN_ANSWER,
    LOGIN_START,
    LOGIN_CHALLENGE,
    LOGIN_RESPONSE,
    LOGIN_FORGET,
    LOGIN_LEDGER, /* + fd */
};

enum login_result {
    LOGIN_DENIED = 0, /* unknown user or wrong password: never told apart */
    LOGIN_OK,
    LOGIN_TROUBLE,   /* could not be checked now: 454 4.7.0 */
    LOGIN_SUSPENDED, /* right, but: detail is the reason */
    LOGIN_DISABLED,  /* right, but */
    LOGIN_BRAKED,    /* not checked: too many have failed */
    LOGIN_RESULTS,
};

struct login_msg {
    enum login_type type;
    uint64_t seq; /* chosen by receive, comes back in the answer */
    /* ASK; START */
    struct str client, session; /* for the log and the brake on failures */
    /* ASK */
    struct str user, password; /* the password is wiped by whoever held it */
    /* START */
    bool plus;                   /* with channel binding */
    struct str unique, exporter; /* of the TLS connection, or empty */
    /* START, CHALLENGE, RESPONSE: what one side of SASL says to the other */
    struct str bytes;
    /* ANSWER */
    enum login_result result;
    struct str account; /* OK, SUSPENDED, DISABLED: the whole address, a key */
    struct str detail;
};

void login_encode(struct buf *to, const struct login_msg *m);
bool login_decode(struct str frame, struct login_msg *m);
