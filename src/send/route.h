/* SPDX-License-Identifier: ISC */
/*
 * Where mail for a destination is taken to (RFC 5321 5.1): which hosts, in
 * which order, or a verdict about all mail for it. Pure: answers of the DNS go
 * in step by step, `need` says what is missing; send/lookup.c asks.
 *
 *     route_init(&r, destination, smarthost, port, random);
 *     if (r.need == ROUTE_NEEDS_MX)        ... route_take_mx(&r, &self,
 * &answer) if (r.need == ROUTE_NEEDS_ADDRESSES) for each r.hosts[i] ...
 *                                          route_take_address(&r, i, &answer)
 *                                          route_finish(&r, &self)
 *     r.need == ROUTE_KNOWN: r.verdict, or r.targets if that has no outcome
 *
 * A destination is a domain, whose MX count, or a host that is meant as it
 * stands: the smarthost, or an address literal.
 */
#pragma once

#include "base/arena.h"
#include "mail/verdict.h"
#include "os/dns.h"

enum {
    ROUTE_HOSTS_MAX = 10,   /* whose addresses are asked for */
    ROUTE_TARGETS_MAX = 20, /* tried in one attempt */
};

enum route_need { ROUTE_KNOWN = 0, ROUTE_NEEDS_MX, ROUTE_NEEDS_ADDRESSES };

struct route_host {
    struct str name;
    uint16_t preference;
    struct str *addresses;
    size_t n;
    bool exists; /* some name server knew the name */
    bool trouble;
};

/* One address to connect to. What was learnt about it is kept by its user. */
struct route_target {
    struct str host; /* name for TLS and log; an address literal's own text */
    struct str address;
    struct str remote;    /* "mx.example.net [192.0.2.7]:25" */
    int64_t bad_until_ms; /* mono: it did not answer */
    bool no_tls;          /* its TLS does not work: in clear */
};

/* Which hosts are this very server. */
struct route_self {
    struct str hostname;
    bool (*is_self)(void *ctx, struct str address, uint16_t port);
    void *ctx;
};

struct route {
    struct arena arena;
    enum route_need need;
    struct str domain; /* destination without a port */
    uint16_t port;
    bool direct;    /* no MX: a host as it stands */
    bool smarthost; /* its trouble is ours, so never a reason to refuse */
    bool implicit;  /* no MX, so the domain itself (RFC 5321 5.1) */
    bool looped;    /* some host was left out because it is this server */
    uint64_t random;

    struct route_host *hosts; /* by preference */
    size_t n_hosts;
    struct route_target *targets; /* in the order in which they are tried */
    size_t n_targets;
    struct verdict verdict; /* OUTCOME_NONE: there are targets */
};

/* "HOST", "HOST:PORT", "192.0.2.1", "[2001:db8::1]:PORT"; *port keeps its value
 * where none is given. */
bool route_parse_host(struct str text, struct str *host, uint16_t *port,
                      bool *literal);

/* port: of MX hosts, or where a smarthost gives none. */
void route_init(struct route *r, struct str destination, bool smarthost,
                uint16_t port, uint64_t random);
void route_fini(struct route *r);

void route_take_mx(struct route *r, const struct route_self *self,
                   const struct dns_answer *mx);
void route_take_address(struct route *r, size_t host,
                        const struct dns_answer *answer);
void route_finish(struct route *r, const struct route_self *self);
