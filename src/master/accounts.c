/* SPDX-License-Identifier: ISC */
#include "master/accounts.h"

#include "os/log.h"

static const char *const names[ROLE_COUNT] = {
    [ROLE_RECEIVE] = "gatepost-in",  [ROLE_DIRECTORY] = "gatepost-auth",
    [ROLE_QUEUE] = "gatepost-queue", [ROLE_SEND] = "gatepost-out",
    [ROLE_MAILBOX] = "vmail",        [ROLE_NOTIFY] = "gatepost-notify",
    [ROLE_JOURNAL] = "gatepost-log",
};

bool
accounts_find(const struct conf *c, struct accounts *a, struct err *e)
{
    *a = (struct accounts){0};
    if (!account_am_root())
        return true; // cannot change, and need not: nothing here is root's
    if (c->run_as_caller) {
        log_event(LOG_WARNING, "running-as-root",
                  LOG_S("why", STR("run-as = caller, started by root: the "
                                   "rooms are not kept apart")),
                  LOG_END);
        return true;
    }
    a->change = true;
    for (enum role r = ROLE_NONE + 1; r < ROLE_COUNT; r++)
        if (!account_find(names[r], &a->of[r]))
            return err_set(e,
                           "account %s is missing: expected the accounts that "
                           "the installation makes, or run-as = \"caller\" in "
                           "%.*s",
                           names[r], STR_ARG(c->file));
    return true;
}

const struct account *
accounts_of(const struct accounts *a, enum role role)
{
    return a->change ? &a->of[role] : NULL;
}
