/* SPDX-License-Identifier: ISC */
/* receive <-> directory: may this name with this password come in? */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum login_type { LOGIN_NONE = 0, LOGIN_ASK, LOGIN_ANSWER };

enum login_result {
    LOGIN_DENIED = 0, /* unknown user or wrong password: never told apart */
    LOGIN_OK,
    LOGIN_TROUBLE, /* could not be checked now: 454 4.7.0 */
};

struct login_msg {
    enum login_type type;
    uint64_t seq; /* chosen by receive, comes back in the answer */
    /* ASK */
    struct str user, password;  /* the password is wiped by whoever held it */
    struct str client, session; /* for the log and the brake on failures */
    /* ANSWER */
    enum login_result result;
    struct str account; /* the whole address logged in as, key form */
};

void login_encode(struct buf *to, const struct login_msg *m);
bool login_decode(struct str frame, struct login_msg *m);
