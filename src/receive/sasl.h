/* SPDX-License-Identifier: ISC */
/*
 * AUTH PLAIN and LOGIN by GNU SASL: turns what the client says into a name and
 * a password. It judges neither: that is directory's to do (receive/login.h).
 * SCRAM is directory's altogether, which alone has the verifiers; what the
 * client says is only passed on.
 *
 * Another mechanism that directory judges (OAUTHBEARER, RFC 7628) would be one
 * more name here, and one more kind of exchange there.
 *
 *     x = sasl_new(context, mechanism);
 *     switch (sasl_step(x, bytes, &challenge)) ...
 *     sasl_free(x);                       // wipes the password
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct sasl_context; /* one a process */
struct sasl;         /* one exchange */

/* What we offer, as EHLO lists it. */
#define SASL_MECHANISMS "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"

struct sasl_context *sasl_context_new(void);
void sasl_context_free(struct sasl_context *c);

enum sasl_result {
    SASL_MALFORMED = 0, /* not what the mechanism says */
    SASL_MORE,          /* send the challenge */
    SASL_CREDENTIALS,   /* user and password are known */
    SASL_BEGIN,         /* SCRAM: pass the bytes on, as the first of it */
    SASL_PASS_ON,       /* and so the further ones */
};

/* NULL: no mechanism of ours. */
struct sasl *sasl_new(struct sasl_context *c, struct str mechanism);
/* given false: nothing was said yet, not even an empty response. */
enum sasl_result sasl_step(struct sasl *s, struct str bytes, bool given,
                           struct buf *challenge);
/* SCRAM: with channel binding? */
bool sasl_plus(const struct sasl *s);
struct str sasl_user(const struct sasl *s);
struct str sasl_password(const struct sasl *s);
void sasl_free(struct sasl *s);
