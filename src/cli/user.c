/* SPDX-License-Identifier: ISC */
/* gatepost user add|list|show|remove|passwd */
#include "cli/commands.h"

#include "cli/cupboard.h"
#include "directory/identity.h"
#include "directory/password.h"

struct user {
    struct str key;
    struct buf password, hash; /* wiped */
};

static struct str
local_of(struct str key)
{
    ssize_t at = str_rfind_char(key, '@');
    return str_first(key, (size_t)at);
}

/* The password from standard input, and its hash. One line end is not part of
 * it. */
static int
read_password(struct user *u)
{
    enum { MAX = 4096 };
    struct err e;

    (void)buf_reserve(&u->password,
                      2 * (size_t)MAX); // no copy is left by growing
    if (!command_read("-", MAX, &u->password))
        return COMMAND_USAGE;
    struct str password = buf_str(&u->password);
    if (str_ends(password, STR("\r\n")))
        u->password.n -= 2;
    else if (str_ends(password, STR("\n")))
        u->password.n--;
    if (!password_hash(buf_str(&u->password), &u->hash, &e))
        return command_fail(COMMAND_REFUSED, "%s", e.text);
    return COMMAND_DONE;
}

/* The verifier for SCRAM goes in with the hash. */
static int
add_verifier(struct cupboard *c, const struct user *u)
{
    unsigned char salt[SCRAM_SALT];
    struct buf verifier = {0};
    bool ok = identity_salt(c->accounts, u->key, salt, &c->e);

    if (ok && !scram_verifier(buf_str(&u->password), salt, &verifier))
        (void)command_fail(0, "warning: this password has octets that clients "
                              "do not agree on, so SCRAM is not possible with "
                              "it; PLAIN and LOGIN are");
    else if (ok)
        ok =
            accounts_user_set_scram(c->accounts, u->key, buf_str(&u->hash),
                                    buf_str(&verifier), &c->e) == ACCOUNTS_DONE;
    buf_wipe(&verifier);
    return ok ? COMMAND_DONE : cupboard_trouble(c);
}

static int
need_password_stdin(const struct invocation *in)
{
    if (command_has(in, "--password-stdin"))
        return COMMAND_DONE;
    return command_fail(COMMAND_USAGE,
                        "user %s: expected --password-stdin, with the password "
                        "on standard input",
                        in->command->verb);
}

/* A mailbox whose name could not be delivered to is not made. */
static int
check_name(struct str key)
{
    struct str local = local_of(key);

    if (str_find_char(local, '+') >= 0)
        return command_fail(COMMAND_REFUSED,
                            "%.*s: an account's name has no \"+\": what is "
                            "behind it is detail, and finds the account "
                            "without it",
                            STR_ARG(key));
    if (!book_user_valid(local))
        return command_fail(COMMAND_REFUSED,
                            "%.*s: an account's name does not begin with "
                            "\".\" and has no \"/\" in it, since it names a "
                            "folder",
                            STR_ARG(key));
    return COMMAND_DONE;
}

static int
add(struct cupboard *c, void *ctx)
{
    const struct user *u = ctx;
    struct accounts_alias alias;
    enum accounts_result there;

    int status = cupboard_need_hosted(c, u->key);
    if (status != COMMAND_DONE)
        return status;
    there =
        accounts_alias_get(c->accounts, &c->in->arena, u->key, &alias, &c->e);
    if (there == ACCOUNTS_DONE)
        return command_fail(COMMAND_REFUSED,
                            "%.*s is an alias: remove that first",
                            STR_ARG(u->key));
    if (there == ACCOUNTS_MISSING)
        there = accounts_user_add(c->accounts, u->key, buf_str(&u->hash),
                                  cupboard_now_ms(), &c->e);
    if (there == ACCOUNTS_EXISTS)
        return command_fail(COMMAND_REFUSED, "%.*s exists already",
                            STR_ARG(u->key));
    return there == ACCOUNTS_DONE ? add_verifier(c, u) : cupboard_trouble(c);
}

static int
prepare_and_add(struct invocation *in, struct user *u)
{
    int status = check_name(u->key);

    if (status == COMMAND_DONE)
        status = need_password_stdin(in);
    if (status == COMMAND_DONE) // before the lock: hashing takes its time
        status = read_password(u);
    return status == COMMAND_DONE ? cupboard_change(in, add, u) : status;
}

static int
run_add(struct invocation *in)
{
    struct user u = {0};

    if (!cupboard_address(in, in->objects[0], &u.key))
        return COMMAND_USAGE;
    int status = prepare_and_add(in, &u);
    buf_wipe(&u.password);
    buf_wipe(&u.hash);
    return status;
}

static int
set_password(struct cupboard *c, void *ctx)
{
    const struct user *u = ctx;
    enum accounts_result result =
        accounts_user_passwd(c->accounts, u->key, buf_str(&u->hash), &c->e);

    return result == ACCOUNTS_DONE
               ? add_verifier(c, u)
               : cupboard_status(c, result, "account", u->key);
}

static int
run_passwd(struct invocation *in)
{
    struct user u = {0};

    if (!cupboard_address(in, in->objects[0], &u.key))
        return COMMAND_USAGE;
    int status = need_password_stdin(in);
    if (status == COMMAND_DONE)
        status = read_password(&u);
    if (status == COMMAND_DONE)
        status = cupboard_change(in, set_password, &u);
    buf_wipe(&u.password);
    buf_wipe(&u.hash);
    return status;
}

static void
on_user(void *ctx, const struct accounts_user *u)
{
    struct invocation *in = ctx;

    if (!in->json) {
        (void)printf("%.*s", STR_ARG(u->address));
        if (u->is.state != BOOK_ACTIVE)
            (void)printf(" %.*s", STR_ARG(book_state_name(u->is.state)));
        (void)puts(u->is.receive_only ? " receive-only" : "");
        return;
    }
    struct arena a = {0};
    cupboard_print(json_pack(
        "{s:o, s:o, s:b, s:o, s:b}", "address", cupboard_json(u->address),
        "created", cupboard_json(cupboard_date(&a, u->created_ms)), "vacation",
        u->is.on_vacation, "state", cupboard_json(book_state_name(u->is.state)),
        "receive_only", u->is.receive_only));
    arena_fini(&a);
}

static int
list(struct cupboard *c, void *ctx)
{
    const struct str *domain = ctx;

    return accounts_user_list(c->accounts, *domain, on_user, c->in, &c->e)
               ? COMMAND_DONE
               : cupboard_trouble(c);
}

static int
run_list(struct invocation *in)
{
    return cupboard_read_domain(in, list);
}

static void
on_alias_json(void *ctx, struct str alias)
{
    (void)json_array_append_new(ctx, cupboard_json(alias));
}

static void
on_alias_text(void *ctx, struct str alias)
{
    (void)ctx;
    (void)printf("alias:    %.*s\n", STR_ARG(alias));
}

/* What the note of that state is called. */
static const char *
note_name(enum book_state state)
{
    return state == BOOK_MOVED ? "new_address" : "reason";
}

static void
print_state(const struct book_account *is)
{
    struct str state = book_state_name(is->state);

    (void)printf("state:    %.*s", STR_ARG(state));
    if (is->note.n > 0)
        (void)printf("%s%.*s", is->state == BOOK_MOVED ? " to " : ": ",
                     STR_ARG(is->note));
    (void)puts(is->receive_only ? ", may not send" : "");
}

static const char *const limit_names[BOOK_LIMITS] = {
    [BOOK_MESSAGES_HOUR] = "messages_per_hour",
    [BOOK_MESSAGES_DAY] = "messages_per_day",
    [BOOK_RECIPIENTS_HOUR] = "recipients_per_hour",
    [BOOK_RECIPIENTS_DAY] = "recipients_per_day"};

/* Those that are the account's own. */
static void
print_limits(const struct book_limits *l)
{
    for (size_t i = 0; i < BOOK_LIMITS; i++)
        if (l->n[i] == BOOK_UNLIMITED)
            (void)printf("limit:    %s none\n", limit_names[i]);
        else if (l->n[i] > 0)
            (void)printf("limit:    %s %lu\n", limit_names[i],
                         (unsigned long)l->n[i]);
}

static json_t *
json_limits(const struct book_limits *l)
{
    json_t *object = json_object();
    for (size_t i = 0; i < BOOK_LIMITS; i++)
        if (l->n[i] == BOOK_UNLIMITED)
            (void)json_object_set_new(object, limit_names[i],
                                      json_string("none"));
        else if (l->n[i] > 0)
            (void)json_object_set_new(object, limit_names[i],
                                      json_integer(l->n[i]));
    return object;
}

static bool
print_user(struct cupboard *c, const struct accounts_user *u,
           struct str delivery)
{
    struct arena *a = &c->in->arena;
    struct str created = cupboard_date(a, u->created_ms);

    if (c->in->json) {
        json_t *aliases = json_array();
        bool ok = accounts_aliases_to(c->accounts, u->address, on_alias_json,
                                      aliases, &c->e);
        json_t *object =
            json_pack("{s:o, s:o, s:b, s:o, s:b, s:o, s:o}", "address",
                      cupboard_json(u->address), "created",
                      cupboard_json(created), "vacation", u->is.on_vacation,
                      "state", cupboard_json(book_state_name(u->is.state)),
                      "receive_only", u->is.receive_only, "delivery",
                      cupboard_json(delivery), "aliases", aliases);
        if (u->is.note.n > 0)
            (void)json_object_set_new(object, note_name(u->is.state),
                                      cupboard_json(u->is.note));
        (void)json_object_set_new(object, "limits", json_limits(&u->is.limits));
        cupboard_print(object);
        return ok;
    }
    (void)printf("account:  %.*s\ncreated:  %.*s\nvacation: %s\n"
                 "delivery: %.*s\n",
                 STR_ARG(u->address), STR_ARG(created),
                 u->is.on_vacation ? "yes" : "no", STR_ARG(delivery));
    print_state(&u->is);
    print_limits(&u->is.limits);
    return accounts_aliases_to(c->accounts, u->address, on_alias_text, NULL,
                               &c->e);
}

static int
show(struct cupboard *c, void *ctx)
{
    const struct user *u = ctx;
    struct accounts_user user;
    struct address address;
    struct book_route route = {.delivery = STR_EMPTY};
    enum accounts_result found =
        accounts_user_get(c->accounts, &c->in->arena, u->key, &user, &c->e);

    if (found != ACCOUNTS_DONE)
        return cupboard_status(c, found, "account", u->key);
    if (address_parse(str_from(c->in->objects[0]), &address))
        book_resolve(&c->book, &c->in->arena, &address, &route);
    if (route.answer != BOOK_ACCOUNT)
        route.delivery = STR("none: its domain is not hosted");
    return print_user(c, &user, route.delivery) ? COMMAND_DONE
                                                : cupboard_trouble(c);
}

static int
run_show(struct invocation *in)
{
    struct user u = {0};

    if (!cupboard_address(in, in->objects[0], &u.key))
        return COMMAND_USAGE;
    return cupboard_read(in, show, &u);
}

static void
on_orphan(void *ctx, struct str alias)
{
    const struct user *u = ctx;
    (void)command_fail(0, "warning: the alias %.*s still leads to %.*s",
                       STR_ARG(alias), STR_ARG(u->key));
}

static int
take_away(struct cupboard *c, void *ctx)
{
    struct user *u = ctx;
    enum accounts_result result =
        accounts_user_remove(c->accounts, u->key, &c->e);

    if (result == ACCOUNTS_DONE &&
        !accounts_aliases_to(c->accounts, u->key, on_orphan, u, &c->e))
        return cupboard_trouble(c);
    return cupboard_status(c, result, "account", u->key);
}

static int
run_remove(struct invocation *in)
{
    struct user u = {0};

    if (!cupboard_address(in, in->objects[0], &u.key))
        return COMMAND_USAGE;
    return cupboard_change(in, take_away, &u);
}

static const struct command_option password_options[] = {
    {"--password-stdin", NULL, "read the password from standard input"},
    {NULL,               NULL, NULL                                   },
};

const struct command user_commands[] = {
    {.noun = "user",
     .verb = "add",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "make an account: a mailbox and a login",
     .options = password_options,
     .run = run_add},
    {.noun = "user",
     .verb = "list",
     .objects = "[DOMAIN]",
     .max = 1,
     .help = "list the accounts",
     .run = run_list},
    {.noun = "user",
     .verb = "show",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "show an account, its mailbox and its aliases",
     .run = run_show},
    {.noun = "user",
     .verb = "remove",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "remove an account; its mail stays where it is",
     .run = run_remove},
    {.noun = "user",
     .verb = "passwd",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "give an account another password",
     .options = password_options,
     .run = run_passwd},
    {0             },
};
