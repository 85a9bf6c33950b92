/* SPDX-License-Identifier: ISC */
/* gatepost vacation set|show|clear */
#include "cli/commands.h"

#include "base/ascii.h"
#include "cli/cupboard.h"

enum { SUBJECT_MAX = 500, BODY_MAX = 64 << 10 };

struct vacation {
    struct str account;
    struct accounts_vacation text;
};

static bool
is_utf8(struct str s)
{
    json_t *string = json_stringn(s.n > 0 ? s.p : "", s.n);
    bool ok = string != NULL;
    json_decref(string);
    return ok;
}

/* It becomes a header field, so it is one line. */
static int
check_subject(struct str subject)
{
    if (subject.n == 0)
        return command_fail(COMMAND_USAGE, "--subject: expected a text");
    if (subject.n > SUBJECT_MAX)
        return command_fail(COMMAND_USAGE,
                            "--subject: expected at most %d octets",
                            SUBJECT_MAX);
    if (!is_utf8(subject))
        return command_fail(COMMAND_USAGE, "--subject: expected UTF-8");
    for (size_t i = 0; i < subject.n; i++)
        if (ascii_is_control((unsigned char)subject.p[i]))
            return command_fail(COMMAND_USAGE, "--subject: expected one line "
                                               "without control characters");
    return COMMAND_DONE;
}

static int
set(struct cupboard *c, void *ctx)
{
    const struct vacation *v = ctx;
    enum accounts_result result =
        accounts_vacation_set(c->accounts, v->account, &v->text, &c->e);

    return cupboard_status(c, result, "account", v->account);
}

static int
read_and_set(struct invocation *in, struct vacation *v, struct buf *body)
{
    if (!command_read(command_value(in, "--file"), BODY_MAX, body))
        return COMMAND_USAGE;
    v->text.body = buf_str(body);
    if (!is_utf8(v->text.body))
        return command_fail(COMMAND_USAGE, "%s: expected UTF-8",
                            command_value(in, "--file"));
    return cupboard_change(in, set, v);
}

static int
run_set(struct invocation *in)
{
    struct vacation v = {
        .text = {.subject = str_from(command_value(in, "--subject")),
                 .since_ms = cupboard_now_ms()}
    };
    struct buf body = {0};

    if (!command_has(in, "--subject") || !command_has(in, "--file"))
        return command_fail(COMMAND_USAGE,
                            "vacation set: expected --subject TEXT and --file "
                            "PATH (\"-\" is standard input)");
    if (!cupboard_address(in, in->objects[0], &v.account))
        return COMMAND_USAGE;
    int status = check_subject(v.text.subject);
    if (status == COMMAND_DONE)
        status = read_and_set(in, &v, &body);
    buf_fini(&body);
    return status;
}

static void
print_vacation(struct invocation *in, struct str account,
               const struct accounts_vacation *v)
{
    struct str since = cupboard_date(&in->arena, v->since_ms);

    if (in->json) {
        cupboard_print(
            json_pack("{s:o, s:o, s:o, s:o}", "address", cupboard_json(account),
                      "subject", cupboard_json(v->subject), "body",
                      cupboard_json(v->body), "since", cupboard_json(since)));
        return;
    }
    (void)printf("account: %.*s\nsince:   %.*s\nsubject: %.*s\n\n%.*s",
                 STR_ARG(account), STR_ARG(since), STR_ARG(v->subject),
                 STR_ARG(v->body));
    if (!str_ends(v->body, STR("\n")))
        (void)putchar('\n');
}

static int
not_away(struct cupboard *c, struct str account)
{
    struct accounts_user user;
    enum accounts_result found =
        accounts_user_get(c->accounts, &c->in->arena, account, &user, &c->e);

    if (found != ACCOUNTS_DONE)
        return cupboard_status(c, found, "account", account);
    return command_fail(COMMAND_NOTHING, "%.*s is not on vacation",
                        STR_ARG(account));
}

static int
show(struct cupboard *c, void *ctx)
{
    const struct str *account = ctx;
    struct accounts_vacation v;
    enum accounts_result found =
        accounts_vacation_get(c->accounts, &c->in->arena, *account, &v, &c->e);

    if (found == ACCOUNTS_MISSING)
        return not_away(c, *account);
    if (found != ACCOUNTS_DONE)
        return cupboard_trouble(c);
    print_vacation(c->in, *account, &v);
    return COMMAND_DONE;
}

static int
run_show(struct invocation *in)
{
    struct str account;

    if (!cupboard_address(in, in->objects[0], &account))
        return COMMAND_USAGE;
    return cupboard_read(in, show, &account);
}

static int
clear(struct cupboard *c, void *ctx)
{
    const struct str *account = ctx;
    enum accounts_result result =
        accounts_vacation_clear(c->accounts, *account, &c->e);

    if (result == ACCOUNTS_MISSING)
        return not_away(c, *account);
    return result == ACCOUNTS_DONE ? COMMAND_DONE : cupboard_trouble(c);
}

static int
run_clear(struct invocation *in)
{
    struct str account;

    if (!cupboard_address(in, in->objects[0], &account))
        return COMMAND_USAGE;
    return cupboard_change(in, clear, &account);
}

static const struct command_option set_options[] = {
    {"--subject", "TEXT", "subject of the reply"                           },
    {"--file",    "PATH", "text of the reply, UTF-8; \"-\": standard input"},
    {NULL,        NULL,   NULL                                             },
};

const struct command vacation_commands[] = {
    {.noun = "vacation",
     .verb = "set",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "tell who writes, once in seven days, that nobody is there",
     .options = set_options,
     .run = run_set},
    {.noun = "vacation",
     .verb = "show",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "show what they are told",
     .run = run_show},
    {.noun = "vacation",
     .verb = "clear",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "be back",
     .run = run_clear},
    {0},
};
