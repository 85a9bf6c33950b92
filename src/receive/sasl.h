/* SPDX-License-Identifier: ISC */
/*
 * AUTH PLAIN and LOGIN by GNU SASL: turns what the client says into a name and
 * a password. It judges neither: that is directory's to do (receive/login.h).
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
#define SASL_MECHANISMS "PLAIN LOGIN"

struct sasl_context *sasl_context_new(void);
void sasl_context_free(struct sasl_context *c);

enum sasl_result {
    SASL_MALFORMED = 0, /* not what the mechanism says */
    SASL_MORE,          /* send the challenge */
    SASL_CREDENTIALS,   /* user and password are known */
};

/* NULL: no mechanism of ours. */
struct sasl *sasl_new(struct sasl_context *c, struct str mechanism);
/* given false: nothing was said yet, not even an empty response. */
enum sasl_result sasl_step(struct sasl *s, struct str bytes, bool given,
                           struct buf *challenge);
struct str sasl_user(const struct sasl *s);
struct str sasl_password(const struct sasl *s);
void sasl_free(struct sasl *s);
