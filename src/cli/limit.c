/* SPDX-License-Identifier: ISC */
/* gatepost user limit: what one account may send, where it is not what the
 * config says for all. */
#include "cli/commands.h"

#include <string.h>

#include "cli/cupboard.h"

static const struct command_option options[] = {
    {"--messages-per-hour",   "N|none|default", "messages an hour"  },
    {"--messages-per-day",    "N|none|default", "messages a day"    },
    {"--recipients-per-hour", "N|none|default", "recipients an hour"},
    {"--recipients-per-day",  "N|none|default", "recipients a day"  },
    {NULL,                    NULL,             NULL                },
};

static const enum book_limit limits[] = {BOOK_MESSAGES_HOUR, BOOK_MESSAGES_DAY,
                                         BOOK_RECIPIENTS_HOUR,
                                         BOOK_RECIPIENTS_DAY};
enum { N = sizeof limits / sizeof *limits };

static bool
parse(const char *text, uint32_t *limit)
{
    uint64_t n;

    if (strcmp(text, "default") == 0)
        *limit = 0;
    else if (strcmp(text, "none") == 0)
        *limit = BOOK_UNLIMITED;
    else if (!str_to_u64(str_from(text), &n) || n == 0 || n >= BOOK_UNLIMITED)
        return false;
    else
        *limit = (uint32_t)n;
    return true;
}

/* Those that were named; the others stay as they are. */
static int
take_limits(const struct invocation *in, struct book_limits *l)
{
    for (size_t i = 0; i < N; i++) {
        const char *text = command_value(in, options[i].name);
        if (text != NULL && !parse(text, &l->n[limits[i]]))
            return command_fail(COMMAND_USAGE,
                                "%s %s: expected a number from 1 to %lu, none, "
                                "or default (as the config says)",
                                options[i].name, text,
                                (unsigned long)BOOK_UNLIMITED - 1);
    }
    return COMMAND_DONE;
}

static int
change(struct cupboard *c, void *ctx)
{
    const struct str *key = ctx;
    struct accounts_user user;
    enum accounts_result result =
        accounts_user_get(c->accounts, &c->in->arena, *key, &user, &c->e);

    if (result == ACCOUNTS_DONE) {
        int status = take_limits(c->in, &user.is.limits);
        if (status != COMMAND_DONE)
            return status;
        result =
            accounts_user_set_limits(c->accounts, *key, &user.is.limits, &c->e);
    }
    return cupboard_status(c, result, "account", *key);
}

static int
run(struct invocation *in)
{
    struct str key;
    bool any = false;

    if (!cupboard_address(in, in->objects[0], &key))
        return COMMAND_USAGE;
    for (size_t i = 0; i < N; i++)
        any = any || command_has(in, options[i].name);
    if (!any)
        return command_fail(COMMAND_USAGE,
                            "user limit: expected one of --messages-per-hour, "
                            "--messages-per-day, --recipients-per-hour, "
                            "--recipients-per-day; user show shows them");
    return cupboard_change(in, change, &key);
}

const struct command limit_commands[] = {
    {.noun = "user",
     .verb = "limit",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "say how much an account may send",
     .options = options,
     .run = run},
    {0},
};
