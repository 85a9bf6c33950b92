/* SPDX-License-Identifier: ISC */
#include "conf/parse_internal.h"

void
parse_check_section(struct parse *p, enum section s)
{
    const struct conf *c = p->conf;

    if (s == SECTION_LISTEN) {
        const struct conf_listen *l = &c->listens[c->n_listens - 1];
        uint32_t line = p->listen_lines[c->n_listens - 1];
        if (l->n_addresses == 0)
            parse_problem(p, line,
                          "listen \"%.*s\": address is missing, expected "
                          "address = {\"*:25\"}",
                          STR_ARG(l->name));
        for (size_t i = 0; i < l->n_addresses; i++)
            if (map_put(&p->addresses, l->addresses[i], p) != NULL)
                parse_problem(p, line, "listen \"%.*s\": %.*s is there twice",
                              STR_ARG(l->name), STR_ARG(l->addresses[i]));
    } else if (s == SECTION_REPLY) {
        const struct conf_reply *r = &c->replies[c->n_replies - 1];
        if (r->text.n == 0)
            parse_problem(p, p->reply_lines[c->n_replies - 1],
                          "reply \"%.*s\": text is missing, expected text = "
                          "\"553 ...\"",
                          STR_ARG(r->reason));
    }
}

static void
check_tls(struct parse *p)
{
    const struct conf *c = p->conf;
    bool certificate = c->tls.certificate.n > 0, key = c->tls.key.n > 0;

    if (certificate != key)
        parse_problem(p,
                      parse_line(p, SECTION_TLS,
                                 certificate ? STR("certificate") : STR("key")),
                      "tls: %s is missing, expected certificate and key",
                      certificate ? "key" : "certificate");
    if (certificate && key)
        return;
    for (size_t i = 0; i < c->n_listens; i++)
        if (c->listens[i].auth_required || c->listens[i].tls_implicit)
            parse_problem(p, p->listen_lines[i],
                          "listen \"%.*s\": %s needs a certificate, expected a "
                          "section tls { certificate = ... key = ... }",
                          STR_ARG(c->listens[i].name),
                          c->listens[i].tls_implicit ? "tls = implicit"
                                                     : "auth = required");
}

static void
check_relay(struct parse *p)
{
    const struct conf *c = p->conf;
    bool user = c->relay.smarthost_user.n > 0;
    bool password = c->relay.smarthost_password_file.n > 0;
    uint32_t line = parse_line(p, SECTION_RELAY,
                               user ? STR("smarthost-user")
                                    : STR("smarthost-password-file"));

    if (user != password)
        parse_problem(p, line,
                      "relay: %s is missing, expected smarthost-user and "
                      "smarthost-password-file together",
                      user ? "smarthost-password-file" : "smarthost-user");
    if ((user || password) && c->relay.smarthost.n == 0)
        parse_problem(p, line,
                      "relay: smarthost is missing, expected HOST[:PORT] to "
                      "log in at");
}

/* Keys whose default follows from other keys. */
static void
complete(struct parse *p)
{
    struct conf *c = p->conf;

    if (c->deliver.n == 0)
        c->deliver =
            arena_printf(&c->arena, "maildir:%.*s/mail/%%{domain}/%%{user}",
                         STR_ARG(c->state));
    for (size_t i = 0; i < c->n_domains; i++)
        if (c->domains[i].deliver.n == 0)
            c->domains[i].deliver = c->deliver;
    if (c->send.helo.n == 0)
        c->send.helo = c->hostname;
    for (size_t i = 0; i < c->n_replies; i++)
        if (p->reply_domains[i] > 0 && p->reply_domains[i] <= c->n_domains)
            c->replies[i].domain = c->domains[p->reply_domains[i] - 1].name;
}

void
parse_check(struct parse *p)
{
    const struct conf *c = p->conf;

    // A hostname that is there but wrong was complained about already.
    if (p->seen[option_find(SECTION_TOP, STR("hostname")) - option_table] == 0)
        parse_problem(p, 1,
                      "hostname is missing, expected the full name of this "
                      "host: hostname = \"mx1.example.com\"");
    check_tls(p);
    check_relay(p);
    if (c->queue.retry_max_ms < c->queue.retry_min_ms)
        parse_problem(p, parse_line(p, SECTION_QUEUE, STR("retry-max")),
                      "queue.retry-max: expected at least retry-min");
    complete(p);
}
