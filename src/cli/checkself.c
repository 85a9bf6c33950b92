/* SPDX-License-Identifier: ISC */
#include "cli/checkself.h"

#include <stdio.h>

#include "cli/checkrun.h"
#include "cli/probe.h"
#include "cli/relayforms.h"
#include "proto/smtp/parse.h"
#include "room/policy.h"

/* Nobody who knocks at a mail server for real. */
#define STRANGER "192.0.2.77"
#define UNKNOWN_USER "nobody-by-this-name-k7q2"

struct self {
    struct cupboard *cupboard;
    struct arena *arena;
    size_t tried, abuses, notes;
    struct tls_context *tls, *old_tls; /* old: nothing newer than TLS 1.1 */
};

static void
found(struct self *s, bool abuse, struct str what)
{
    if (abuse)
        s->abuses++;
    else
        s->notes++;
    if (s->cupboard->in->json)
        cupboard_print(json_pack("{s:s, s:o}", "kind", abuse ? "abuse" : "note",
                                 "text", cupboard_json(what)));
    else
        (void)printf("%s: %.*s\n", abuse ? "ABUSE" : "note", STR_ARG(what));
}

/* ---- by the rules ------------------------------------------------------ */

/* Would the gate take this from a stranger, and pass it on to another host? */
static bool
passes_on(struct self *s, struct str sender, struct str recipient)
{
    struct checkrun x;
    struct smtp_mail mail;
    struct smtp_rcpt rcpt;
    bool passed = false;
    s->tried++;
    checkrun_init(&x, s->cupboard);
    x.facts.thorough = false;
    x.session.client = STR(STRANGER);
    struct net_address stranger;
    if (net_parse(x.session.client, 25, &stranger))
        x.session.in_networks =
            policy_in_networks(s->cupboard->conf, &stranger);
    if (smtp_parse_mail(arena_printf(s->arena, "FROM:<%.*s>", STR_ARG(sender)),
                        &mail) == SMTP_PARSE_OK &&
        smtp_parse_rcpt(arena_printf(s->arena, "TO:<%.*s>", STR_ARG(recipient)),
                        &rcpt) == SMTP_PARSE_OK) {
        // The sender's own domain is not what is looked at here.
        x.facts.sender = &mail.sender;
        gate_facts_recipient(&x.facts, &rcpt.recipient, 0);
        checkrun_stage(&x, GATE_RCPT);
        passed = x.verdict.reason.n == 0 && x.facts.route.answer == BOOK_REMOTE;
    }
    checkrun_fini(&x);
    return passed;
}

static void
try_rules(struct self *s, struct str here)
{
    const struct str senders[] = {
        STR(""), STR("somebody@" RELAYFORM_ABROAD),
        arena_printf(s->arena, "postmaster@%.*s", STR_ARG(here))};
    struct str form;
    for (size_t i = 0; (form = relayform_at(s->arena, i, here)).n > 0; i++)
        for (size_t j = 0; j < sizeof senders / sizeof *senders; j++)
            if (passes_on(s, senders[j], form))
                found(s, true,
                      arena_printf(s->arena,
                                   "open relay: a stranger (" STRANGER
                                   ") may send from <%.*s> to <%.*s>",
                                   STR_ARG(senders[j]), STR_ARG(form)));
}

/* Half of all addresses there are, or more than a large provider has. */
static void
look_at_networks(struct self *s)
{
    const struct conf *c = s->cupboard->conf;
    for (size_t i = 0; i < c->relay.n_networks; i++) {
        struct str network = c->relay.networks[i], bits;
        uint64_t n;
        bool v6 = str_find_char(network, ':') >= 0;
        if (!str_cut(network, '/', &bits, &bits) || !str_to_u64(bits, &n) ||
            n >= (v6 ? 32 : 8))
            continue;
        found(s, true,
              arena_printf(s->arena,
                           "relay.networks holds %.*s: whoever is in it sends "
                           "without a login",
                           STR_ARG(network)));
    }
}

static void
look_at_listens(struct self *s)
{
    const struct conf *c = s->cupboard->conf;
    if (c->gate.own_domain_open)
        found(s, false,
              STR("gate.own-domain is open: strangers may write as your own "
                  "users"));
    if (c->tls.certificate.n == 0)
        found(s, false,
              STR("no certificate: nobody can log in, and mail comes in "
                  "clear"));
}

/* ---- over the ports ---------------------------------------------------- */

static bool
resolve_listen(struct str listen, struct net_address *to)
{
    ssize_t colon = str_rfind_char(listen, ':');
    uint64_t port = 0;
    if (colon < 0 ||
        !str_to_u64(str_from_pos(listen, (size_t)colon + 1), &port))
        return false;
    struct str host = str_first(listen, (size_t)colon);
    if (str_eq(host, STR("*")) || str_eq(host, STR("0.0.0.0")))
        host = STR("127.0.0.1");
    else if (str_eq(host, STR("[::]")))
        host = STR("::1");
    return net_parse(host, (uint16_t)port, to);
}

/* tls: of a port that begins with it; NULL. */
static bool
reopen_by(struct probe *p, const struct net_address *to,
          struct tls_context *tls, struct err *e)
{
    probe_close(p);
    return probe_open(p, to, tls, e) &&
           probe_say(p, "EHLO " RELAYFORM_ABROAD, e) == 250;
}

static bool
reopen(struct probe *p, const struct net_address *to, struct err *e)
{
    return reopen_by(p, to, NULL, e);
}

static unsigned
say(struct probe *p, struct err *e, struct arena *a, const char *verb,
    struct str path)
{
    return probe_say(
        p, arena_cstr(a, arena_printf(a, "%s:<%.*s>", verb, STR_ARG(path))), e);
}

/* A reply that is not there, or 421: connect again. */
static void
try_relays(struct self *s, struct str name, struct probe *p,
           const struct net_address *to, struct str here)
{
    struct err e;
    struct str form;
    for (size_t i = 0; (form = relayform_at(s->arena, i, here)).n > 0; i++) {
        struct address a;
        struct book_route r = {.answer = BOOK_UNKNOWN};
        struct str path = arena_printf(s->arena, "<%.*s>", STR_ARG(form));
        s->tried++;
        unsigned code = say(p, &e, s->arena, "MAIL FROM",
                            STR("somebody@" RELAYFORM_ABROAD));
        if (code / 100 == 2)
            code = say(p, &e, s->arena, "RCPT TO", form);
        if (address_take_path(&path, true, &a))
            book_resolve(&s->cupboard->book, s->arena, &a, &r);
        if (code / 100 == 2 && r.answer == BOOK_REMOTE)
            found(s, true,
                  arena_printf(s->arena, "%.*s takes mail for <%.*s>",
                               STR_ARG(name), STR_ARG(form)));
        if (code == 0 || code == 421 || probe_say(p, "RSET", &e) != 250)
            if (!reopen(p, to, &e))
                return;
    }
}

static void
try_unknown(struct self *s, struct str name, struct probe *p, struct str here)
{
    struct err e;
    struct str path =
        arena_printf(s->arena, UNKNOWN_USER "@%.*s", STR_ARG(here));
    s->tried++;
    unsigned code =
        say(p, &e, s->arena, "MAIL FROM", STR("somebody@" RELAYFORM_ABROAD));
    if (code / 100 == 2)
        code = say(p, &e, s->arena, "RCPT TO", path);
    if (code / 100 == 2)
        found(
            s, false,
            arena_printf(s->arena,
                         "%.*s takes mail for anybody at %.*s (a catch-all?): "
                         "spam for invented names comes in",
                         STR_ARG(name), STR_ARG(here)));
    (void)probe_say(p, "RSET", &e);
}

static void
try_login(struct self *s, struct str name, struct probe *p)
{
    struct err e;
    s->tried += 2;
    if (str_find_nocase(buf_str(&p->reply), STR("AUTH ")) >= 0)
        found(s, true,
              arena_printf(s->arena,
                           "%.*s offers AUTH without TLS: passwords "
                           "would cross the network in clear",
                           STR_ARG(name)));
    unsigned code = probe_say(p, "AUTH PLAIN AG5vYm9keQBub25l", &e);
    if (code == 235 || code == 334 || code == 535)
        found(s, true,
              arena_printf(s->arena,
                           "%.*s looks at a password that came without TLS "
                           "(reply %u)",
                           STR_ARG(name), code));
}

static void
try_directory(struct self *s, struct str name, struct probe *p)
{
    static const char *const verbs[] = {"VRFY", "EXPN"};
    struct err e;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        s->tried++;
        const char *line = arena_cstr(
            s->arena, arena_printf(s->arena, "%s postmaster", verbs[i]));
        unsigned code = probe_say(p, line, &e);
        if (code == 250 || code == 251)
            found(s, false,
                  arena_printf(s->arena,
                               "%.*s answers %s: strangers learn "
                               "which addresses exist",
                               STR_ARG(name), verbs[i]));
    }
}

static void
try_submission(struct self *s, struct str name, struct probe *p)
{
    struct err e;
    s->tried++;
    unsigned code =
        say(p, &e, s->arena, "MAIL FROM", STR("somebody@" RELAYFORM_ABROAD));
    if (code / 100 == 2)
        found(s, true,
              arena_printf(s->arena, "%.*s takes a sender without a login",
                           STR_ARG(name)));
    (void)probe_say(p, "RSET", &e);
}

/* ---- under TLS --------------------------------------------------------- */

static bool
offers(const struct probe *p, struct str keyword)
{
    return str_find_nocase(buf_str(&p->reply), keyword) >= 0;
}

/* A session that has just said EHLO under TLS. */
static void
try_under_tls(struct self *s, struct str name, struct probe *p,
              const struct conf_listen *l)
{
    s->tried++;
    if (l->auth_required && !offers(p, STR("AUTH ")))
        found(s, false,
              arena_printf(s->arena,
                           "%.*s offers no AUTH under TLS: nobody can log in",
                           STR_ARG(name)));
    if (l->auth_required)
        try_submission(s, name, p);
}

/* A session in clear goes on under that TLS. */
static bool
change_over(struct probe *p, const struct net_address *to,
            struct tls_context *tls, const char *line, struct err *e)
{
    return reopen(p, to, e) && probe_say(p, line, e) == 220 &&
           probe_start_tls(p, tls, e);
}

/* Commands that somebody on the way put behind STARTTLS in clear (RFC 3207, 6)
 * must not be taken for the client's. */
static void
try_injection(struct self *s, struct str name, struct probe *p,
              const struct net_address *to)
{
    struct err e;
    s->tried++;
    if (change_over(p, to, s->tls, "STARTTLS\r\nHELP", &e) &&
        probe_say(p, "NOOP", &e) == 214)
        found(s, true,
              arena_printf(s->arena,
                           "%.*s takes a command that came in clear behind "
                           "STARTTLS for one that came under TLS",
                           STR_ARG(name)));
}

static void
try_old_tls(struct self *s, struct str name, struct probe *p,
            const struct net_address *to, bool implicit)
{
    struct err e;
    s->tried++;
    probe_close(p);
    if (implicit ? probe_open(p, to, s->old_tls, &e)
                 : change_over(p, to, s->old_tls, "STARTTLS", &e))
        found(s, true,
              arena_printf(s->arena,
                           "%.*s speaks TLS older than 1.2: who is "
                           "on the way may read it",
                           STR_ARG(name)));
}

static void
try_starttls(struct self *s, struct str name, const struct conf_listen *l,
             const struct net_address *to)
{
    struct probe p = {.fd = -1};
    struct err e = {.text = "not offered"};
    if (reopen(&p, to, &e) && offers(&p, STR("STARTTLS")) &&
        change_over(&p, to, s->tls, "STARTTLS", &e) &&
        probe_say(&p, "EHLO " RELAYFORM_ABROAD, &e) == 250) {
        try_under_tls(s, name, &p, l);
        try_injection(s, name, &p, to);
        try_old_tls(s, name, &p, to, false);
    } else {
        found(s, false,
              arena_printf(s->arena, "%.*s: STARTTLS does not work (%s)",
                           STR_ARG(name), e.text));
    }
    probe_close(&p);
}

static void
not_answering(struct self *s, struct str name, const struct err *e)
{
    found(s, false,
          arena_printf(s->arena,
                       "%.*s does not answer (%s): only its rules "
                       "were tried",
                       STR_ARG(name), e->text));
}

static void
try_implicit(struct self *s, struct str name, const struct conf_listen *l,
             const struct net_address *to)
{
    struct probe p = {.fd = -1};
    struct err e = {.text = "it refuses EHLO"};
    if (reopen_by(&p, to, s->tls, &e)) {
        try_under_tls(s, name, &p, l);
        try_directory(s, name, &p);
        try_old_tls(s, name, &p, to, true);
    } else {
        not_answering(s, name, &e);
    }
    probe_close(&p);
}

/* ---- each port --------------------------------------------------------- */

/* An open port as a client without TLS meets it. */
static void
try_clear(struct self *s, const struct conf_listen *l, struct str name,
          const struct net_address *to, struct str here)
{
    const struct conf *c = s->cupboard->conf;
    struct probe p = {.fd = -1};
    struct err e = {.text = "it refuses EHLO"};
    if (!reopen(&p, to, &e)) {
        not_answering(s, name, &e);
        probe_close(&p);
        return;
    }
    try_login(s, name, &p);
    if (reopen(&p, to, &e))
        try_directory(s, name, &p);
    if (reopen(&p, to, &e)) {
        if (l->auth_required)
            try_submission(s, name, &p);
        else if (policy_in_networks(c, to))
            found(s, false,
                  arena_printf(s->arena,
                               "%.*s: this host is in relay.networks and may "
                               "relay; for strangers only the rules were tried",
                               STR_ARG(name)));
        else
            try_relays(s, name, &p, to, here);
    }
    if (!l->auth_required && reopen(&p, to, &e))
        try_unknown(s, name, &p, here);
    probe_close(&p);
    if (c->tls.certificate.n > 0)
        try_starttls(s, name, l, to);
}

static void
try_port(struct self *s, const struct conf_listen *l, struct str listen,
         struct str here)
{
    struct str name = arena_printf(s->arena, "listen \"%.*s\" (%.*s)",
                                   STR_ARG(l->name), STR_ARG(listen));
    struct net_address to;
    if (!resolve_listen(listen, &to))
        return;
    if (l->tls_implicit)
        try_implicit(s, name, l, &to);
    else
        try_clear(s, l, name, &to, here);
}

/* ------------------------------------------------------------------------ */

static int
conclude(const struct self *s)
{
    if (s->cupboard->in->json)
        cupboard_print(json_pack(
            "{s:s, s:b, s:I, s:I, s:I}", "kind", "verdict", "abusable",
            s->abuses > 0, "tried", (json_int_t)s->tried, "abuses",
            (json_int_t)s->abuses, "notes", (json_int_t)s->notes));
    else if (s->abuses > 0)
        (void)printf("this server could be abused: %zu of %zu tries went "
                     "through\n",
                     s->abuses, s->tried);
    else
        (void)printf("nothing that was tried can be abused: %zu tries\n",
                     s->tried);
    return s->abuses > 0 ? COMMAND_REFUSED : COMMAND_DONE;
}

static int
check_self(struct cupboard *c, void *ctx)
{
    struct self s = {.cupboard = c, .arena = &c->in->arena};
    const struct conf *conf = c->conf;
    (void)ctx;
    struct str here =
        conf->n_domains > 0 ? conf->domains[0].name : conf->hostname;
    s.tls = tls_client_context(false, STR_EMPTY, &c->e);
    s.old_tls = tls_old_client_context();
    look_at_networks(&s);
    look_at_listens(&s);
    try_rules(&s, here);
    if (!str_eq_nocase(here, conf->hostname))
        try_rules(&s, conf->hostname);
    for (size_t i = 0; i < conf->n_listens; i++)
        for (size_t j = 0; j < conf->listens[i].n_addresses; j++)
            try_port(&s, &conf->listens[i], conf->listens[i].addresses[j],
                     here);
    tls_context_free(s.old_tls);
    tls_context_free(s.tls);
    return conclude(&s);
}

int
checkself_run(struct invocation *in)
{
    return cupboard_read(in, check_self, NULL);
}
