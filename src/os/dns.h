/* SPDX-License-Identifier: ISC */
/*
 * DNS through libunbound's event API on our loop: no threads, caching.
 * Answers come from the loop, never from inside dns_ask().
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "os/loop.h"

struct dns;

enum dns_type {
    DNS_A = 1,
    DNS_MX = 15,
    DNS_AAAA = 28,
    DNS_TXT = 16,
    DNS_PTR = 12
};

enum dns_result {
    DNS_OK = 0,
    DNS_NO_DATA, /* the name exists, not this type */
    DNS_NO_NAME, /* NXDOMAIN */
    DNS_TROUBLE, /* time-out, SERVFAIL, bogus: try later */
};

struct dns_record {
    uint16_t preference; /* MX */
    struct str text;     /* MX: host, no trailing dot, "" for null MX;
                            A, AAAA: address as text; TXT: joined strings */
};

struct dns_answer {
    enum dns_result result;
    struct dns_record *records; /* die when the callback returns */
    size_t n;
    bool secure;
};

typedef void (*dns_fn)(void *ctx, const struct dns_answer *answer);

/* servers: "127.0.0.1@5300" …; n 0: /etc/resolv.conf. NULL with *e. */
struct dns *dns_new(struct loop *l, const struct str *servers, size_t n,
                    int64_t timeout_ms, struct err *e);
void dns_free(struct dns *d);

struct dns_query; /* freed by its answer or by dns_cancel() */
struct dns_query *dns_ask(struct dns *d, struct str name, enum dns_type type,
                          dns_fn fn, void *ctx);
void dns_cancel(struct dns_query *q);
