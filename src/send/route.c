/* SPDX-License-Identifier: ISC */
#include "send/route.h"

#include "base/ascii.h"

static const struct status status_unknown = {5, 1, 2};  /* no such domain */
static const struct status status_no_mail = {5, 1, 10}; /* RFC 7505 4 */
static const struct status status_no_route = {5, 4, 4};
static const struct status status_dns = {4, 4, 3};
static const struct status status_loop = {5, 4, 6};

static bool
is_literal(struct str host)
{
    bool digits = host.n > 0;
    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] == ':')
            return true;
        digits = digits &&
                 (host.p[i] == '.' || ascii_is_digit((unsigned char)host.p[i]));
    }
    return digits;
}

bool
route_parse_host(struct str text, struct str *host, uint16_t *port,
                 bool *literal)
{
    struct str rest;
    uint64_t number;
    bool has_port;

    if (str_skip_char(&text, '[')) {
        if (!str_cut(text, ']', host, &rest))
            return false;
        has_port = str_skip_char(&rest, ':');
        if (!has_port && rest.n > 0)
            return false;
        // Address literals of mail are tagged (RFC 5321 4.1.3).
        (void)str_skip_nocase(host, STR("IPv6:"));
    } else {
        has_port = str_cut(text, ':', host, &rest);
    }
    if (has_port) {
        if (!str_to_u64(rest, &number) || number == 0 || number > UINT16_MAX)
            return false;
        *port = (uint16_t)number;
    }
    *literal = is_literal(*host);
    return host->n > 0;
}

static void
decide(struct route *r, enum outcome outcome, struct status status,
       const char *reason, struct str text)
{
    r->need = ROUTE_KNOWN;
    r->n_hosts = r->n_targets = 0;
    if (r->smarthost) {
        outcome = OUTCOME_LATER;
        status.klass = 4;
    }
    r->verdict = (struct verdict){.outcome = outcome,
                                  .status = status,
                                  .reason = str_from(reason),
                                  .text = text,
                                  .command = STR("DNS")};
}

static void
decide_loop(struct route *r)
{
    decide(r, OUTCOME_REFUSED, status_loop, "loop",
           arena_printf(&r->arena,
                        "mail for %.*s leads back to this server, which does "
                        "not host that domain",
                        STR_ARG(r->domain)));
}

static void
decide_trouble(struct route *r)
{
    decide(r, OUTCOME_LATER, status_dns, "dns-trouble",
           arena_printf(&r->arena, "the DNS gives no answer about %.*s",
                        STR_ARG(r->domain)));
}

static void
decide_unknown(struct route *r)
{
    decide(r, OUTCOME_REFUSED, status_unknown, "domain-unknown",
           arena_printf(&r->arena, "the domain %.*s does not exist",
                        STR_ARG(r->domain)));
}

static void
add_target(struct route *r, struct str host, struct str address, bool literal)
{
    struct route_target *t;

    if (r->n_targets == ROUTE_TARGETS_MAX)
        return;
    t = &r->targets[r->n_targets++];
    t->host = host;
    t->address = address;
    t->remote =
        literal
            ? arena_printf(&r->arena, "[%.*s]:%u", STR_ARG(address), r->port)
            : arena_printf(&r->arena, "%.*s [%.*s]:%u", STR_ARG(host),
                           STR_ARG(address), r->port);
}

/* The one host that is meant as it stands. */
static void
add_direct(struct route *r, struct str name)
{
    r->hosts = arena_array(&r->arena, 1, sizeof *r->hosts);
    r->hosts[0].name = name;
    r->n_hosts = 1;
    r->need = ROUTE_NEEDS_ADDRESSES;
}

void
route_init(struct route *r, struct str destination, bool smarthost,
           uint16_t port, uint64_t random)
{
    struct str host;
    bool literal;

    *r = (struct route){
        .port = port, .smarthost = smarthost, .random = random | 1};
    r->targets = arena_array(&r->arena, ROUTE_TARGETS_MAX, sizeof *r->targets);
    destination = arena_dup_lower(&r->arena, destination);
    r->domain = destination;
    if (!route_parse_host(destination, &host, &r->port, &literal)) {
        decide_unknown(r);
        return;
    }
    r->domain = host;
    // A domain of digits is none: only a bracketed literal or a host with a
    // port is meant as an address.
    r->direct = smarthost || destination.p[0] == '[' || host.n < destination.n;
    if (r->direct)
        add_direct(r, host);
    else
        r->need = ROUTE_NEEDS_MX;
    if (r->direct && literal) {
        r->hosts[0].addresses =
            arena_array(&r->arena, 1, sizeof *r->hosts[0].addresses);
        r->hosts[0].addresses[0] = host;
        r->hosts[0].n = 1;
        r->hosts[0].exists = true;
    }
}

void
route_fini(struct route *r)
{
    arena_fini(&r->arena);
}

/* xorshift64: fairness among equals, no secret. */
static uint64_t
next_random(struct route *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return r->random;
}

/* By preference; equal ones in random order (RFC 5321 5.1): each host goes in
 * at a random place among its equals. */
static void
insert_host(struct route *r, struct str name, uint16_t preference)
{
    size_t at = 0, end;

    for (size_t i = 0; i < r->n_hosts; i++)
        if (str_eq(r->hosts[i].name, name))
            return;
    while (at < r->n_hosts && r->hosts[at].preference < preference)
        at++;
    end = at;
    while (end < r->n_hosts && r->hosts[end].preference == preference)
        end++;
    at += (size_t)(next_random(r) % (end - at + 1));
    for (size_t i = r->n_hosts; i > at; i--)
        r->hosts[i] = r->hosts[i - 1];
    r->hosts[at] = (struct route_host){.name = arena_dup_lower(&r->arena, name),
                                       .preference = preference};
    r->n_hosts++;
}

/* This server is one of them: those as bad or worse would only send the mail
 * back to it (RFC 5321 5.1). */
static void
drop_from(struct route *r, uint16_t preference)
{
    size_t n = 0;
    while (n < r->n_hosts && r->hosts[n].preference < preference)
        n++;
    r->n_hosts = n;
    r->looped = true;
}

static void
drop_own_name(struct route *r, const struct route_self *self)
{
    for (size_t i = 0; i < r->n_hosts; i++)
        if (str_eq_nocase(r->hosts[i].name, self->hostname)) {
            drop_from(r, r->hosts[i].preference);
            return;
        }
}

static void
take_mx_records(struct route *r, const struct route_self *self,
                const struct dns_answer *mx)
{
    r->hosts = arena_array(&r->arena, mx->n, sizeof *r->hosts);
    for (size_t i = 0; i < mx->n; i++)
        if (mx->records[i].text.n > 0)
            insert_host(r, mx->records[i].text, mx->records[i].preference);
    if (r->n_hosts == 0) {
        decide(r, OUTCOME_REFUSED, status_no_mail, "domain-no-mail",
               arena_printf(&r->arena,
                            "the domain %.*s does not receive mail (its MX "
                            "record says so)",
                            STR_ARG(r->domain)));
        return;
    }
    drop_own_name(r, self);
    if (r->n_hosts == 0)
        decide_loop(r);
    else
        r->need = ROUTE_NEEDS_ADDRESSES;
    if (r->n_hosts > ROUTE_HOSTS_MAX)
        r->n_hosts = ROUTE_HOSTS_MAX;
}

void
route_take_mx(struct route *r, const struct route_self *self,
              const struct dns_answer *mx)
{
    switch (mx->result) {
    case DNS_OK:
        take_mx_records(r, self, mx);
        break;
    case DNS_NO_DATA:
        r->implicit = true;
        add_direct(r, r->domain);
        drop_own_name(r, self);
        if (r->n_hosts == 0)
            decide_loop(r);
        break;
    case DNS_NO_NAME:
        decide_unknown(r);
        break;
    case DNS_TROUBLE:
        decide_trouble(r);
        break;
    }
}

void
route_take_address(struct route *r, size_t host,
                   const struct dns_answer *answer)
{
    struct route_host *h = &r->hosts[host];
    struct str *addresses;

    if (answer->result != DNS_NO_NAME)
        h->exists = true;
    if (answer->result == DNS_TROUBLE)
        h->trouble = true;
    if (answer->result != DNS_OK)
        return;
    addresses = arena_array(&r->arena, h->n + answer->n, sizeof *addresses);
    for (size_t i = 0; i < h->n; i++)
        addresses[i] = h->addresses[i];
    h->addresses = addresses;
    for (size_t i = 0; i < answer->n; i++)
        addresses[h->n++] = arena_dup(&r->arena, answer->records[i].text);
}

static bool
is_self(const struct route *r, const struct route_self *self,
        const struct route_host *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (self->is_self(self->ctx, h->addresses[i], r->port))
            return true;
    return false;
}

static void
drop_own_address(struct route *r, const struct route_self *self)
{
    for (size_t i = 0; i < r->n_hosts; i++)
        if (is_self(r, self, &r->hosts[i])) {
            drop_from(r, r->hosts[i].preference);
            return;
        }
}

/* All answers are there, and there is no address. */
static void
decide_nowhere(struct route *r)
{
    bool trouble = false, exists = false;

    for (size_t i = 0; i < r->n_hosts; i++) {
        trouble = trouble || r->hosts[i].trouble;
        exists = exists || r->hosts[i].exists;
    }
    if (trouble)
        decide_trouble(r);
    else if (r->looped)
        decide_loop(r);
    else if (!exists && (r->implicit || r->direct))
        decide_unknown(r);
    else
        decide(r, OUTCOME_REFUSED, status_no_route, "domain-no-mail",
               arena_printf(&r->arena,
                            r->implicit || r->direct
                                ? "%.*s has neither mail server nor address"
                                : "none of the mail servers of %.*s has an "
                                  "address",
                            STR_ARG(r->domain)));
}

static bool
is_v6(struct str address)
{
    return str_find_char(address, ':') >= 0;
}

/* IPv4 first: where both work nothing is lost, and where IPv6 is half set up
 * it is mostly the way out that fails, after a long wait. */
static void
add_targets(struct route *r, const struct route_host *h)
{
    for (int v6 = 0; v6 <= 1; v6++)
        for (size_t i = 0; i < h->n; i++)
            if (is_v6(h->addresses[i]) == (v6 == 1))
                add_target(r, h->name, h->addresses[i],
                           str_eq(h->name, h->addresses[i]));
}

void
route_finish(struct route *r, const struct route_self *self)
{
    drop_own_address(r, self);
    for (size_t i = 0; i < r->n_hosts; i++)
        add_targets(r, &r->hosts[i]);
    if (r->n_targets == 0)
        decide_nowhere(r);
    r->need = ROUTE_KNOWN;
}
