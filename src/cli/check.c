/* SPDX-License-Identifier: ISC */
/* gatepost check mail|route|self */
#include "cli/checkrun.h"
#include "cli/commands.h"

#include <stdio.h>

#include "cli/checkself.h"
#include "os/net.h"
#include "proto/smtp/parse.h"
#include "room/policy.h"

/* ---- check mail -------------------------------------------------------- */

/* What a client would write: "FROM:<...>"; "<>" and an empty text are the null
 * sender. */
static struct str
path_of(struct invocation *in, const char *what, const char *address)
{
    struct str a = str_from(address);
    if (a.n > 0 && a.p[0] == '<')
        return arena_printf(&in->arena, "%s:%s", what, address);
    return arena_printf(&in->arena, "%s:<%s>", what, address);
}

/* The account as directory finds it, or why the login would fail. */
static int
log_in(struct checkrun *x, const char *name)
{
    struct cupboard *c = x->cupboard;
    struct book_account account;
    struct str user;
    if (!cupboard_address(c->in, name, &user))
        return COMMAND_USAGE;
    if (!book_find_account(&c->book, &c->in->arena, user, &account))
        return command_fail(COMMAND_REFUSED,
                            "--auth %s: no such account, its login would fail",
                            name);
    if (account.state == BOOK_SUSPENDED || account.state == BOOK_DISABLED)
        checkrun_refuse(x, GATE_HELLO, "auth", STR("account-suspended"),
                        account.note);
    x->session.user = user;
    return COMMAND_DONE;
}

static int
arrive(struct checkrun *x)
{
    struct invocation *in = x->cupboard->in;
    const char *ip = command_value(in, "--ip");
    const char *port = command_value(in, "--port");
    const char *helo = command_value(in, "--helo");
    const char *auth = command_value(in, "--auth");
    struct str p = str_from(port);
    struct net_address client;

    if (ip == NULL || command_value(in, "--from") == NULL ||
        command_value(in, "--to") == NULL)
        return command_fail(COMMAND_USAGE, "check mail: expected --ip ADDRESS, "
                                           "--from ADDRESS and --to ADDRESS");
    if (!net_parse(str_from(ip), 25, &client))
        return command_fail(COMMAND_USAGE,
                            "--ip %s: expected an address such as 192.0.2.1 or "
                            "2001:db8::1",
                            ip);
    if (p.n > 0 && !str_eq(p, STR("mx")) && !str_eq(p, STR("submission")))
        return command_fail(COMMAND_USAGE,
                            "--port %s: expected mx or submission", port);
    x->session.client = str_from(ip);
    x->session.helo = str_from(helo);
    x->session.in_networks = policy_in_networks(x->cupboard->conf, &client);
    x->session.loopback = net_is_loopback(&client);
    // Who logs in does so where it is asked for, unless told otherwise.
    x->session.auth_required =
        p.n > 0 ? str_eq(p, STR("submission")) : auth != NULL;
    return auth == NULL ? COMMAND_DONE : log_in(x, auth);
}

static int
check_mail(struct cupboard *c, void *ctx)
{
    struct checkrun x;
    struct smtp_mail mail;
    struct smtp_rcpt rcpt;
    const char *from = command_value(c->in, "--from");
    const char *to = command_value(c->in, "--to");
    (void)ctx;

    checkrun_init(&x, c);
    int status = arrive(&x);
    if (status == COMMAND_DONE) {
        checkrun_stage(&x, GATE_CONNECT);
        checkrun_stage(&x, GATE_HELLO);
        if (smtp_parse_mail(path_of(c->in, "FROM", from), &mail) ==
            SMTP_PARSE_OK) {
            gate_facts_sender(&x.facts, &mail.sender, 0);
            checkrun_stage(&x, GATE_MAIL);
        } else {
            checkrun_refuse(&x, GATE_MAIL, "syntax", STR("bad-sender-address"),
                            STR_EMPTY);
            mail.sender = (struct address){.whole = STR_EMPTY};
            x.facts.sender = &mail.sender;
        }
        if (smtp_parse_rcpt(path_of(c->in, "TO", to), &rcpt) == SMTP_PARSE_OK) {
            gate_facts_recipient(&x.facts, &rcpt.recipient, 0);
            checkrun_stage(&x, GATE_RCPT);
        } else {
            checkrun_refuse(&x, GATE_RCPT, "syntax",
                            STR("bad-recipient-address"), STR_EMPTY);
        }
        status = checkrun_print(&x, NULL);
    }
    checkrun_fini(&x);
    return status;
}

static int
run_mail(struct invocation *in)
{
    return cupboard_read(in, check_mail, NULL);
}

/* ---- check route ------------------------------------------------------- */

enum { ROUTE_DEEPEST = 10 };

struct way {
    struct cupboard *cupboard;
    struct buf text;
    json_t *steps;
};

static void
add_step(struct way *w, unsigned depth, struct str address, struct str where)
{
    buf_addf(&w->text, "%*s%.*s: %.*s\n", (int)(2 * depth), "",
             STR_ARG(address), STR_ARG(where));
    (void)json_array_append_new(
        w->steps,
        json_pack("{s:i, s:o, s:o}", "depth", (int)depth, "address",
                  cupboard_json(address), "to", cupboard_json(where)));
}

static struct str
where_to(struct way *w, const struct book_route *r, struct str domain)
{
    struct arena *a = &w->cupboard->in->arena;
    const struct conf *c = w->cupboard->conf;
    switch (r->answer) {
    case BOOK_REMOTE:
        if (c->relay.smarthost.n > 0)
            return arena_printf(a, "smarthost %.*s",
                                STR_ARG(c->relay.smarthost));
        return arena_printf(a, "MX of %.*s", STR_ARG(domain));
    case BOOK_ACCOUNT:
        return arena_printf(a, "%.*s%s", STR_ARG(r->delivery),
                            r->on_vacation ? ", autoreply" : "");
    case BOOK_POSTMASTER_BOX:
        return r->delivery;
    case BOOK_ALIAS:
        return arena_printf(
            a, "alias %.*s",
            STR_ARG(r->alias.n > 0 ? r->alias : STR("postmaster")));
    case BOOK_UNKNOWN:
        break;
    }
    return STR("nobody");
}

static void
follow(struct way *w, const struct address *address, unsigned depth)
{
    struct cupboard *c = w->cupboard;
    struct book_route r;
    struct address target;
    book_resolve(&c->book, &c->in->arena, address, &r);
    add_step(w, depth, address->whole, where_to(w, &r, address->domain));
    if (r.answer != BOOK_ALIAS)
        return;
    for (size_t i = 0; i < r.n_targets; i++) {
        if (depth + 1 >= ROUTE_DEEPEST)
            add_step(w, depth + 1, r.targets[i],
                     STR("too deep, aliases lead to aliases"));
        else if (address_parse(r.targets[i], &target))
            follow(w, &target, depth + 1);
    }
}

/* As a program on this machine would send it: nothing but the recipient is
 * judged. */
static int
check_route(struct cupboard *c, void *ctx)
{
    struct checkrun x;
    struct smtp_rcpt rcpt;
    const struct address nobody = {.whole = STR_EMPTY};
    struct way w = {.cupboard = c, .steps = json_array()};
    (void)ctx;

    checkrun_init(&x, c);
    x.session.local = true;
    x.facts.sender = &nobody;
    if (smtp_parse_rcpt(path_of(c->in, "TO", c->in->objects[0]), &rcpt) ==
        SMTP_PARSE_OK) {
        gate_facts_recipient(&x.facts, &rcpt.recipient, 0);
        checkrun_stage(&x, GATE_RCPT);
        follow(&w, &rcpt.recipient, 0);
    } else {
        checkrun_refuse(&x, GATE_RCPT, "syntax", STR("bad-recipient-address"),
                        STR_EMPTY);
    }
    if (!c->in->json)
        (void)printf("%.*s", STR_ARG(buf_str(&w.text)));
    int status = checkrun_print(&x, json_pack("{s:o}", "route", w.steps));
    buf_fini(&w.text);
    checkrun_fini(&x);
    return status;
}

static int
run_route(struct invocation *in)
{
    return cupboard_read(in, check_route, NULL);
}

static const struct command_option mail_options[] = {
    {"--ip",   "ADDRESS",       "of the client"                          },
    {"--from", "ADDRESS",       "sender of the envelope, \"<>\" for none"},
    {"--to",   "ADDRESS",       "recipient"                              },
    {"--helo", "NAME",          "what the client says in EHLO"           },
    {"--auth", "USER",          "the account that it logs in as"         },
    {"--port", "mx|submission",
     "where it connects; default: submission with "
     "--auth, else mx"                                                   },
    {NULL,     NULL,            NULL                                     },
};

const struct command check_commands[] = {
    {.noun = "check",
     .verb = "mail",
     .help = "run a message's envelope through the gate, without sending it",
     .options = mail_options,
     .run = run_mail},
    {.noun = "check",
     .verb = "route",
     .objects = "ADDRESS",
     .min = 1,
     .max = 1,
     .help = "say whether mail for an address is taken, and where it goes",
     .run = run_route},
    {.noun = "check",
     .verb = "self",
     .help = "try from outside whether this server could be abused",
     .run = checkself_run},
    {0                                                        },
};
