/* SPDX-License-Identifier: ISC */
/* gatepost alias add|set|list|show|remove */
#include "cli/commands.h"

#include "cli/cupboard.h"

/* An address, or "@domain" for what a domain has no other name for. */
static bool
take_alias(struct invocation *in, const char *text, struct str *key)
{
    struct str domain;

    if (text[0] != '@')
        return cupboard_address(in, text, key);
    if (!cupboard_domain(in, text + 1, &domain))
        return false;
    *key = arena_printf(&in->arena, "@%.*s", STR_ARG(domain));
    return true;
}

static bool
named_before(const struct accounts_alias *alias, struct str key)
{
    for (size_t i = 0; i < alias->n_targets; i++)
        if (str_eq(alias->keys[i], key))
            return true;
    return false;
}

/* The objects behind the first, each once. */
static int
take_targets(struct invocation *in, struct accounts_alias *alias)
{
    size_t n = in->n_objects - 1;

    alias->targets = arena_array(&in->arena, n, sizeof *alias->targets);
    alias->keys = arena_array(&in->arena, n, sizeof *alias->keys);
    for (size_t i = 0; i < n; i++) {
        const char *text = in->objects[i + 1];
        struct str key;
        if (!cupboard_address(in, text, &key))
            return COMMAND_USAGE;
        if (str_eq(key, alias->address))
            return command_fail(COMMAND_REFUSED, "%.*s cannot lead to itself",
                                STR_ARG(key));
        if (named_before(alias, key))
            continue;
        alias->targets[alias->n_targets] = str_from(text);
        alias->keys[alias->n_targets++] = key;
    }
    return COMMAND_DONE;
}

/* --members A,@B,...: addresses, or all of a domain, as keys. */
static int
take_members(struct invocation *in, struct accounts_alias *alias)
{
    struct str rest = str_from(command_value(in, "--members")), one;

    alias->members_only =
        command_has(in, "--members-only") || command_has(in, "--members");
    alias->members = arena_array(&in->arena, rest.n + 1, sizeof one);
    while (rest.n > 0) {
        (void)str_cut(rest, ',', &one, &rest);
        one = str_trim(one);
        if (one.n > 0 && !take_alias(in, arena_cstr(&in->arena, one),
                                     &alias->members[alias->n_members++]))
            return COMMAND_USAGE;
    }
    return COMMAND_DONE;
}

/* A target of ours that nobody answers to is most often mistyped. */
static void
warn_of_unknown(struct cupboard *c, const struct accounts_alias *alias)
{
    for (size_t i = 0; i < alias->n_targets; i++) {
        struct address a;
        struct book_route r;
        if (!address_parse(alias->targets[i], &a))
            continue;
        book_resolve(&c->book, &c->in->arena, &a, &r);
        if (r.answer == BOOK_UNKNOWN)
            (void)command_fail(0, "warning: there is no account or alias %.*s",
                               STR_ARG(alias->targets[i]));
    }
}

static int
check_free(struct cupboard *c, struct str key)
{
    struct accounts_user user;
    enum accounts_result there =
        accounts_user_get(c->accounts, &c->in->arena, key, &user, &c->e);

    if (there == ACCOUNTS_DONE)
        return command_fail(COMMAND_REFUSED,
                            "%.*s is an account: its mail would never come to "
                            "the alias",
                            STR_ARG(key));
    return there == ACCOUNTS_MISSING ? COMMAND_DONE : cupboard_trouble(c);
}

/* Added first, then followed by the rules of delivery: whoever refuses undoes
 * it. */
static int
insert(struct cupboard *c, const struct accounts_alias *alias)
{
    struct buf way = {0};
    enum accounts_result result = accounts_alias_add(c->accounts, alias, &c->e);

    if (result == ACCOUNTS_EXISTS)
        return command_fail(COMMAND_REFUSED,
                            "the alias %.*s exists already: remove it first",
                            STR_ARG(alias->address));
    if (result != ACCOUNTS_DONE)
        return cupboard_trouble(c);
    bool loop = book_find_loop(&c->book, &c->in->arena, alias->address, &way);
    int status = loop ? command_fail(COMMAND_REFUSED,
                                     "that would be a loop: %s", buf_cstr(&way))
                      : COMMAND_DONE;
    buf_fini(&way);
    return status;
}

static int
add(struct cupboard *c, void *ctx)
{
    const struct accounts_alias *alias = ctx;

    int status = cupboard_need_hosted(c, alias->address);
    if (status == COMMAND_DONE)
        status = check_free(c, alias->address);
    if (status == COMMAND_DONE)
        status = insert(c, alias);
    if (status == COMMAND_DONE)
        warn_of_unknown(c, alias);
    return status;
}

static int
run_add(struct invocation *in)
{
    struct accounts_alias alias = {0};

    if (!take_alias(in, in->objects[0], &alias.address))
        return COMMAND_USAGE;
    int status = take_targets(in, &alias);
    if (status == COMMAND_DONE)
        status = take_members(in, &alias);
    return status == COMMAND_DONE ? cupboard_change(in, add, &alias) : status;
}

static int
set_members(struct cupboard *c, void *ctx)
{
    const struct accounts_alias *alias = ctx;
    enum accounts_result result =
        accounts_alias_set_members(c->accounts, alias, &c->e);

    return cupboard_status(c, result, "alias", alias->address);
}

static int
run_set(struct invocation *in)
{
    struct accounts_alias alias = {0};

    if (!take_alias(in, in->objects[0], &alias.address))
        return COMMAND_USAGE;
    int status = take_members(in, &alias);
    if (status != COMMAND_DONE)
        return status;
    if (alias.members_only == command_has(in, "--everybody"))
        return command_fail(COMMAND_USAGE,
                            "alias set: expected --members-only, --members "
                            "LIST or --everybody");
    return cupboard_change(in, set_members, &alias);
}

static json_t *
json_list(const struct str *list, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(array, cupboard_json(list[i]));
    return array;
}

static void
print_alias(void *ctx, const struct accounts_alias *x)
{
    const struct invocation *in = ctx;

    if (in->json) {
        cupboard_print(json_pack(
            "{s:o, s:o, s:b, s:o}", "address", cupboard_json(x->address),
            "targets", json_list(x->targets, x->n_targets), "members_only",
            x->members_only, "members", json_list(x->members, x->n_members)));
        return;
    }
    (void)printf("%.*s:", STR_ARG(x->address));
    for (size_t i = 0; i < x->n_targets; i++)
        (void)printf(" %.*s", STR_ARG(x->targets[i]));
    if (x->members_only)
        (void)fputs(x->n_members > 0 ? " (only from" : " (members only)",
                    stdout);
    for (size_t i = 0; i < x->n_members; i++)
        (void)printf(" %.*s", STR_ARG(x->members[i]));
    (void)puts(x->n_members > 0 ? ")" : "");
}

static int
list(struct cupboard *c, void *ctx)
{
    const struct str *domain = ctx;

    return accounts_alias_list(c->accounts, *domain, print_alias, c->in, &c->e)
               ? COMMAND_DONE
               : cupboard_trouble(c);
}

static int
run_list(struct invocation *in)
{
    return cupboard_read_domain(in, list);
}

static int
show(struct cupboard *c, void *ctx)
{
    const struct str *key = ctx;
    struct accounts_alias alias;
    enum accounts_result found =
        accounts_alias_get(c->accounts, &c->in->arena, *key, &alias, &c->e);

    if (found == ACCOUNTS_DONE)
        print_alias(c->in, &alias);
    return cupboard_status(c, found, "alias", *key);
}

static int
run_show(struct invocation *in)
{
    struct str key;

    if (!take_alias(in, in->objects[0], &key))
        return COMMAND_USAGE;
    return cupboard_read(in, show, &key);
}

static int
take_away(struct cupboard *c, void *ctx)
{
    const struct str *key = ctx;
    enum accounts_result result =
        accounts_alias_remove(c->accounts, *key, &c->e);

    return cupboard_status(c, result, "alias", *key);
}

static int
run_remove(struct invocation *in)
{
    struct str key;

    if (!take_alias(in, in->objects[0], &key))
        return COMMAND_USAGE;
    return cupboard_change(in, take_away, &key);
}

#define MEMBERS                                                                \
    {"--members-only", NULL, "only its targets may write to it"},              \
    {                                                                          \
        "--members", "A,@B,...",                                               \
            "only these addresses and domains may write to it"                 \
    }

static const struct command_option add_options[] = {
    MEMBERS,
    {NULL, NULL, NULL},
};

static const struct command_option set_options[] = {
    MEMBERS,
    {"--everybody", NULL, "everybody may write to it"},
    {NULL,          NULL, NULL                       },
};

const struct command alias_commands[] = {
    {.noun = "alias",
     .verb = "add",
     .objects = "ADDRESS|@DOMAIN TARGET...",
     .min = 2,
     .max = SIZE_MAX,
     .help = "lead an address, or all other names of a domain, elsewhere",
     .options = add_options,
     .run = run_add},
    {.noun = "alias",
     .verb = "set",
     .objects = "ADDRESS|@DOMAIN",
     .min = 1,
     .max = 1,
     .help = "say who may write to an alias",
     .options = set_options,
     .run = run_set},
    {.noun = "alias",
     .verb = "list",
     .objects = "[DOMAIN]",
     .max = 1,
     .help = "list the aliases and their targets",
     .run = run_list},
    {.noun = "alias",
     .verb = "show",
     .objects = "ADDRESS|@DOMAIN",
     .min = 1,
     .max = 1,
     .help = "show an alias and its targets",
     .run = run_show},
    {.noun = "alias",
     .verb = "remove",
     .objects = "ADDRESS|@DOMAIN",
     .min = 1,
     .max = 1,
     .help = "remove an alias",
     .run = run_remove},
    {0                         },
};
