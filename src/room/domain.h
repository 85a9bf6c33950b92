/* SPDX-License-Identifier: ISC */
/*
 * What the DNS says about a mail domain, for the gate: one question of a few
 * queries, one answer, from the loop.
 *
 *     q = domain_ask(dns, STR("example.com"), DOMAIN_EXISTS,
 *                    hostname, on_answer, ctx);
 */
#pragma once

#include "base/str.h"
#include "os/dns.h"

enum domain_subject {
    /* Has it an MX, A or AAAA record? RFC 5321, 5.1. A null MX (RFC 7505) is a
     * NO of its own. */
    DOMAIN_EXISTS = 0,
    /* Is one of its mail hosts this host, by name or by address? */
    DOMAIN_IS_HERE,
};

enum domain_answer {
    DOMAIN_NO = 0,
    DOMAIN_YES,
    DOMAIN_NULL_MX, /* NO: it says that it takes no mail */
    DOMAIN_TROUBLE,
};

typedef void (*domain_fn)(void *ctx, enum domain_answer answer);

/* hostname: ours; it is borrowed. Freed by its answer or domain_cancel(). */
struct domain_question;
struct domain_question *domain_ask(struct dns *d, struct str domain,
                                   enum domain_subject subject,
                                   struct str hostname, domain_fn fn,
                                   void *ctx);
void domain_cancel(struct domain_question *q);
