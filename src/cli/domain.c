/* SPDX-License-Identifier: ISC */
/* gatepost domain add|list|show|remove */
#include "cli/commands.h"

#include <inttypes.h>

#include "base/ascii.h"
#include "cli/cupboard.h"
#include "conf/value.h"

static bool
has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (ascii_is_control((unsigned char)s.p[i]))
            return true;
    return false;
}

static int
add(struct cupboard *c, void *ctx)
{
    const struct accounts_domain *d = ctx;

    if (hosting_configured(&c->hosting, d->name) != NULL)
        return command_fail(COMMAND_REFUSED,
                            "%.*s is hosted already, by its section in %s",
                            STR_ARG(d->name), c->in->config);
    switch (accounts_domain_add(c->accounts, d, &c->e)) {
    case ACCOUNTS_DONE:
        return COMMAND_DONE;
    case ACCOUNTS_EXISTS:
        return command_fail(COMMAND_REFUSED, "%.*s is hosted already",
                            STR_ARG(d->name));
    case ACCOUNTS_MISSING:
    case ACCOUNTS_TROUBLE:
        break;
    }
    return cupboard_trouble(c);
}

static int
run_add(struct invocation *in)
{
    struct accounts_domain d = {.deliver =
                                    str_from(command_value(in, "--deliver"))};

    if (!cupboard_domain(in, in->objects[0], &d.name))
        return COMMAND_USAGE;
    if (command_has(in, "--deliver")) {
        const char *expected = value_check_deliver(d.deliver);
        if (expected == NULL && has_control(d.deliver))
            expected = "a path without control characters";
        if (expected != NULL)
            return command_fail(COMMAND_USAGE, "--deliver: expected %s",
                                expected);
    }
    return cupboard_change(in, add, &d);
}

/* One domain, wherever it stands. */
struct row {
    struct str name, deliver;
    bool configured;
    uint64_t accounts, aliases;
};

static bool
count(struct cupboard *c, struct row *row)
{
    return accounts_domain_count(c->accounts, row->name, &row->accounts,
                                 &row->aliases, &c->e);
}

static json_t *
to_json(const struct row *row)
{
    return json_pack(
        "{s:o, s:o, s:s, s:I, s:I}", "name", cupboard_json(row->name),
        "deliver", cupboard_json(row->deliver), "source",
        row->configured ? "config" : "directory", "accounts",
        (json_int_t)row->accounts, "aliases", (json_int_t)row->aliases);
}

static void
print_line(const struct cupboard *c, const struct row *row)
{
    if (c->in->json)
        cupboard_print(to_json(row));
    else
        (void)printf("%.*s\n", STR_ARG(row->name));
}

struct listing {
    struct cupboard *c;
    struct arena arena;
    struct row *rows;
    size_t n, room;
};

static void
add_row(struct listing *l, struct str name, struct str deliver, bool configured)
{
    if (l->n == l->room) {
        size_t room = l->room == 0 ? 64 : l->room * 2;
        struct row *fresh = arena_array(&l->arena, room, sizeof *fresh);
        for (size_t i = 0; i < l->n; i++)
            fresh[i] = l->rows[i];
        l->rows = fresh;
        l->room = room;
    }
    l->rows[l->n++] = (struct row){.name = arena_dup(&l->arena, name),
                                   .deliver = arena_dup(&l->arena, deliver),
                                   .configured = configured};
}

/* Those of the config stand first and win. */
static void
on_stored(void *ctx, const struct accounts_domain *d)
{
    struct listing *l = ctx;
    const struct hosting *h = &l->c->hosting;

    if (hosting_configured(h, d->name) == NULL)
        add_row(l, d->name, d->deliver.n > 0 ? d->deliver : h->deliver, false);
}

static int
print_all(struct cupboard *c, struct listing *l)
{
    const struct hosting *h = &c->hosting;

    for (size_t i = 0; i < h->n_domains; i++)
        add_row(l, h->domains[i].name, h->domains[i].deliver, true);
    if (!accounts_domain_list(c->accounts, on_stored, l, &c->e))
        return cupboard_trouble(c);
    for (size_t i = 0; i < l->n; i++) {
        if (c->in->json && !count(c, &l->rows[i]))
            return cupboard_trouble(c);
        print_line(c, &l->rows[i]);
    }
    return COMMAND_DONE;
}

static int
list(struct cupboard *c, void *ctx)
{
    struct listing l = {.c = c};

    (void)ctx;
    int status = print_all(c, &l);
    arena_fini(&l.arena);
    return status;
}

static int
run_list(struct invocation *in)
{
    return cupboard_read(in, list, NULL);
}

static enum accounts_result
find(struct cupboard *c, struct row *row)
{
    const struct conf_domain *configured =
        hosting_configured(&c->hosting, row->name);
    struct accounts_domain stored = {0};

    row->configured = configured != NULL;
    if (row->configured) {
        row->deliver = configured->deliver;
        return ACCOUNTS_DONE;
    }
    enum accounts_result found = accounts_domain_get(c->accounts, &c->in->arena,
                                                     row->name, &stored, &c->e);
    row->deliver = stored.deliver.n > 0 ? stored.deliver : c->hosting.deliver;
    return found;
}

static int
show(struct cupboard *c, void *ctx)
{
    struct row *row = ctx;
    enum accounts_result found = find(c, row);

    if (found == ACCOUNTS_MISSING)
        return command_fail(COMMAND_NOTHING, "%.*s is not hosted here",
                            STR_ARG(row->name));
    if (found == ACCOUNTS_TROUBLE || !count(c, row))
        return cupboard_trouble(c);
    if (c->in->json) {
        cupboard_print(to_json(row));
        return COMMAND_DONE;
    }
    (void)printf("domain:   %.*s\nsource:   %s\ndeliver:  %.*s\n"
                 "accounts: %" PRIu64 "\naliases:  %" PRIu64 "\n",
                 STR_ARG(row->name),
                 row->configured ? c->in->config : "directory",
                 STR_ARG(row->deliver), row->accounts, row->aliases);
    return COMMAND_DONE;
}

static int
run_show(struct invocation *in)
{
    struct row row = {0};

    if (!cupboard_domain(in, in->objects[0], &row.name))
        return COMMAND_USAGE;
    return cupboard_read(in, show, &row);
}

/* Whoever removes a domain by mistake must not lose its accounts by it. */
static int
refuse_inhabited(struct cupboard *c, struct row *row)
{
    if (!count(c, row))
        return cupboard_trouble(c);
    if (row->configured || row->accounts + row->aliases == 0)
        return COMMAND_DONE;
    return command_fail(COMMAND_REFUSED,
                        "%.*s still has %" PRIu64 " account%s and %" PRIu64
                        " alias%s: remove them first",
                        STR_ARG(row->name), row->accounts,
                        row->accounts == 1 ? "" : "s", row->aliases,
                        row->aliases == 1 ? "" : "es");
}

static int
take_away(struct cupboard *c, void *ctx)
{
    struct row *row = ctx;

    row->configured = hosting_configured(&c->hosting, row->name) != NULL;
    switch (accounts_domain_remove(c->accounts, row->name, &c->e)) {
    case ACCOUNTS_DONE:
        return refuse_inhabited(c, row);
    case ACCOUNTS_MISSING:
        if (row->configured)
            return command_fail(COMMAND_REFUSED,
                                "%.*s is hosted by %s: remove its section "
                                "there and reload",
                                STR_ARG(row->name), c->in->config);
        return command_fail(COMMAND_NOTHING, "%.*s is not hosted here",
                            STR_ARG(row->name));
    case ACCOUNTS_EXISTS:
    case ACCOUNTS_TROUBLE:
        break;
    }
    return cupboard_trouble(c);
}

static int
run_remove(struct invocation *in)
{
    struct row row = {0};

    if (!cupboard_domain(in, in->objects[0], &row.name))
        return COMMAND_USAGE;
    return cupboard_change(in, take_away, &row);
}

static const struct command_option add_options[] = {
    {"--deliver", "maildir:PATTERN",
     "where its mailboxes are; default: deliver of the config"},
    {NULL,        NULL,              NULL                     },
};

const struct command domain_commands[] = {
    {.noun = "domain",
     .verb = "add",
     .objects = "NAME",
     .min = 1,
     .max = 1,
     .help = "host a domain besides those of the config",
     .options = add_options,
     .run = run_add},
    {.noun = "domain",
     .verb = "list",
     .help = "list the hosted domains, those of the config too",
     .run = run_list},
    {.noun = "domain",
     .verb = "show",
     .objects = "NAME",
     .min = 1,
     .max = 1,
     .help = "show where a domain is from and what is in it",
     .run = run_show},
    {.noun = "domain",
     .verb = "remove",
     .objects = "NAME",
     .min = 1,
     .max = 1,
     .help = "host a domain no more",
     .run = run_remove},
    {0                     },
};
