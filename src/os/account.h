/* SPDX-License-Identifier: ISC */
/* The system's accounts, by which processes are kept apart. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct account {
    uint32_t uid, gid;
};

bool account_am_root(void);

/* The name of whoever runs this process; NULL: it has none. Static storage. */
const char *account_own_name(void);

/* false: there is none of this name. */
bool account_find(const char *name, struct account *out);
