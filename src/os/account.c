/* SPDX-License-Identifier: ISC */
#include "os/account.h"

#include <pwd.h>
#include <stddef.h>
#include <unistd.h>

bool
account_am_root(void)
{
    return geteuid() == 0;
}

bool
account_find(const char *name, struct account *out)
{
    const struct passwd *p = getpwnam(name);
    if (p == NULL)
        return false;
    *out = (struct account){p->pw_uid, p->pw_gid};
    return true;
}

const char *
account_own_name(void)
{
    const struct passwd *p = getpwuid(getuid());
    return p == NULL ? NULL : p->pw_name;
}
