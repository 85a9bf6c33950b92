/* SPDX-License-Identifier: ISC */
/* gatepost user suspend|resume|set: what an account may do, and what may come
 * to it. */
#include "cli/commands.h"

#include <string.h>

#include "base/ascii.h"
#include "cli/cupboard.h"
#include "cli/talk.h"

/* A reason is said in a reply of SMTP: one short line. */
enum { REASON_MAX = 120 };

struct wish {
    struct str key;
    bool set_state, set_receive_only;
    struct book_account is;
};

static int
change_account(struct cupboard *c, void *ctx)
{
    const struct wish *w = ctx;
    enum accounts_result result = ACCOUNTS_DONE;

    if (w->set_state)
        result = accounts_user_set_state(c->accounts, w->key, &w->is, &c->e);
    if (w->set_receive_only && result == ACCOUNTS_DONE)
        result = accounts_user_set_receive_only(c->accounts, w->key,
                                                w->is.receive_only, &c->e);
    return cupboard_status(c, result, "account", w->key);
}

static int
take_reason(struct invocation *in, struct wish *w)
{
    struct str reason = str_trim(str_from(command_value(in, "--reason")));

    if (reason.n == 0)
        return command_fail(COMMAND_USAGE,
                            "user %s: expected --reason TEXT, which the user "
                            "is told at the next login",
                            in->command->verb);
    bool plain = reason.n <= REASON_MAX;
    for (size_t i = 0; plain && i < reason.n; i++)
        plain = (unsigned char)reason.p[i] < 0x80 &&
                !ascii_is_control((unsigned char)reason.p[i]);
    if (!plain)
        return command_fail(COMMAND_USAGE,
                            "--reason: expected one line of at most %d ASCII "
                            "characters, since it is said in an SMTP reply",
                            REASON_MAX);
    w->is.note = reason;
    return COMMAND_DONE;
}

/* The answers to a request for removal, to the last; busy: how many could not
 * be removed. */
static bool
await_removal(struct talk *t, json_int_t *removed, json_int_t *busy,
              struct err *e)
{
    json_t *j;
    bool done = false;

    while (!done && (j = talk_receive(t, e)) != NULL) {
        done = json_object_get(j, "done") != NULL;
        const char *error = json_string_value(json_object_get(j, "error"));
        if (error != NULL)
            (void)err_set(e, "%s", error);
        *removed = json_integer_value(json_object_get(j, "matched"));
        *busy = json_integer_value(json_object_get(j, "busy"));
        json_decref(j);
        if (error != NULL)
            return false;
    }
    if (!done && e->text[0] == '\0')
        (void)err_set(e, "the server hung up");
    return done;
}

/* What the account had queued, once it can add nothing more. */
static int
purge(struct invocation *in, struct str key)
{
    struct talk t;
    struct err e = {0};
    json_int_t removed = 0, busy = 0;
    enum talk_result there = talk_open(&t, in->conf, "queue", &e);

    if (there == TALK_NO_SERVER)
        (void)err_set(&e, "no server is running");
    bool ok = there == TALK_OPEN &&
              talk_send(&t,
                        json_pack("{s:s, s:o}", "verb", "remove", "auth",
                                  cupboard_json(key)),
                        &e) &&
              await_removal(&t, &removed, &busy, &e);
    talk_close(&t);
    if (!ok)
        return command_fail(COMMAND_UNREACHABLE,
                            "suspended, but the queue was not purged: %s",
                            e.text);
    if (in->json)
        cupboard_print(
            json_pack("{s:I, s:I}", "removed", removed, "busy", busy));
    else
        (void)printf("%lld removed from the queue\n", (long long)removed);
    if (busy > 0)
        return command_fail(COMMAND_REFUSED,
                            "%lld could not be removed: being delivered now",
                            (long long)busy);
    return COMMAND_DONE;
}

static int
run_suspend(struct invocation *in)
{
    struct wish w = {
        .set_state = true,
        .is = {.state = BOOK_SUSPENDED, .kicked = command_has(in, "--kick")}
    };

    if (!cupboard_address(in, in->objects[0], &w.key))
        return COMMAND_USAGE;
    int status = take_reason(in, &w);
    if (status == COMMAND_DONE)
        status = cupboard_change(in, change_account, &w);
    if (status == COMMAND_DONE && command_has(in, "--purge-queue"))
        status = purge(in, w.key);
    return status;
}

static int
run_resume(struct invocation *in)
{
    struct wish w = {.set_state = true, .is = {.state = BOOK_ACTIVE}};

    if (!cupboard_address(in, in->objects[0], &w.key))
        return COMMAND_USAGE;
    return cupboard_change(in, change_account, &w);
}

static int
take_state(struct invocation *in, struct wish *w)
{
    const char *state = command_value(in, "--state");
    const char *moved_to = command_value(in, "--new-address");
    struct str key;

    if (state != NULL && !book_state_parse(str_from(state), &w->is.state))
        return command_fail(COMMAND_USAGE,
                            "--state %s: expected active, disabled, suspended, "
                            "full or moved",
                            state);
    w->set_state = state != NULL;
    w->is.kicked = command_has(in, "--kick");
    if (moved_to != NULL && w->is.state != BOOK_MOVED)
        return command_fail(COMMAND_USAGE,
                            "--new-address: expected together with --state "
                            "moved");
    if (w->is.kicked && w->is.state == BOOK_ACTIVE)
        return command_fail(COMMAND_USAGE,
                            "--kick: expected together with a --state that is "
                            "not active");
    if (w->is.state == BOOK_SUSPENDED)
        return take_reason(in, w);
    if (moved_to == NULL)
        return COMMAND_DONE;
    if (!cupboard_address(in, moved_to, &key))
        return COMMAND_USAGE;
    if (str_eq(key, w->key))
        return command_fail(COMMAND_REFUSED, "%.*s cannot move to itself",
                            STR_ARG(key));
    w->is.note = str_from(moved_to);
    return COMMAND_DONE;
}

static int
take_receive_only(const struct invocation *in, struct wish *w)
{
    const char *text = command_value(in, "--receive-only");

    w->set_receive_only = text != NULL;
    if (text == NULL)
        return COMMAND_DONE;
    w->is.receive_only = strcmp(text, "yes") == 0;
    if (w->is.receive_only || strcmp(text, "no") == 0)
        return COMMAND_DONE;
    return command_fail(COMMAND_USAGE, "--receive-only %s: expected yes or no",
                        text);
}

static int
run_set(struct invocation *in)
{
    struct wish w = {0};

    if (!cupboard_address(in, in->objects[0], &w.key))
        return COMMAND_USAGE;
    int status = take_state(in, &w);
    if (status == COMMAND_DONE)
        status = take_receive_only(in, &w);
    if (status != COMMAND_DONE)
        return status;
    if (!w.set_state && !w.set_receive_only)
        return command_fail(COMMAND_USAGE,
                            "user set: expected --state or --receive-only");
    return cupboard_change(in, change_account, &w);
}

#define KICK                                                                   \
    {                                                                          \
        "--kick", NULL, "end the sessions of the account at once"              \
    }

static const struct command_option suspend_options[] = {
    {"--reason",      "TEXT", "what the user is told at the next login"},
    {"--purge-queue", NULL,   "drop what the account has in the queue" },
    KICK,
    {NULL,            NULL,   NULL                                     },
};

static const struct command_option set_options[] = {
    {"--state",        "STATE",   "active, disabled, suspended, full or moved"},
    {"--reason",       "TEXT",    "suspended: what the user is told"          },
    {"--new-address",  "ADDRESS", "moved: where to, told to who writes"       },
    {"--receive-only", "yes|no",  "may it not send?"                          },
    KICK,
    {NULL,             NULL,      NULL                                        },
};

const struct command state_commands[] = {
    {.noun = "user",
     .verb = "suspend",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "take login, sending and receiving from an account",
     .options = suspend_options,
     .run = run_suspend},
    {.noun = "user",
     .verb = "resume",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "make an account active again, whatever its state was",
     .run = run_resume},
    {.noun = "user",
     .verb = "set",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "set the state of an account, or whether it may send",
     .options = set_options,
     .run = run_set},
    {0},
};
