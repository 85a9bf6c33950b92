/* SPDX-License-Identifier: ISC */
/* Which room runs as whom. */
#pragma once

#include "base/err.h"
#include "conf/conf.h"
#include "os/account.h"

struct accounts {
    bool change; /* false: all run as who started us */
    struct account of[ROLE_COUNT];
};

/* false: *e names the account that is missing. */
bool accounts_find(const struct conf *c, struct accounts *a, struct err *e);

/* NULL: no change of user. */
const struct account *accounts_of(const struct accounts *a, enum role role);
